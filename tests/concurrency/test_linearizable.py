"""The judge is judged first: by histories of a counter of which it is known what they are."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING

import pytest

from tests.concurrency.history import Call, History, Refused
from tests.concurrency.linearizable import SearchTooLong, linearization

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def counter(state: int, call: Call) -> Iterable[int]:
    """``add`` returns what was there before; ``read`` what there is; ``toss`` may add or not."""
    match call.verb:
        case "add":
            return [state + 1] if call.answer == state else []
        case "toss":
            return [state, state + 1]
        case _:
            return [state] if call.answer == state else []


def _call(verb: str, answer: int, invoked: int, returned: int) -> Call:
    return Call(verb=verb, answer=answer, invoked=invoked, returned=returned)


LINEARIZABLE = {
    "nothing at all": [],
    "one after the other": [_call("add", 0, 0, 1), _call("read", 1, 2, 3)],
    "a read that overlaps sees it already": [_call("add", 0, 0, 3), _call("read", 1, 1, 2)],
    "a read that overlaps does not see it yet": [_call("add", 0, 0, 3), _call("read", 0, 1, 2)],
    "the one that began later was first": [_call("add", 1, 0, 3), _call("add", 0, 1, 2)],
    "two reads inside see one and then the other": [
        _call("add", 0, 0, 5), _call("read", 0, 1, 2), _call("read", 1, 3, 4),
    ],
    "what came of a toss is known by a read alone": [
        _call("toss", -1, 0, 1), _call("toss", -1, 2, 3), _call("read", 1, 4, 5),
    ],
}  # fmt: skip
NOT_LINEARIZABLE = {
    "a lost update": [_call("add", 0, 0, 2), _call("add", 0, 1, 3)],
    "a stale read": [_call("add", 0, 0, 1), _call("read", 0, 2, 3)],
    "a read of what is not there yet": [_call("read", 1, 0, 1), _call("add", 0, 2, 3)],
    "two reads inside, back in time": [
        _call("add", 0, 0, 5), _call("read", 1, 1, 2), _call("read", 0, 3, 4),
    ],
    "an effect that was refused": [_call("add", 5, 0, 3), _call("read", 0, 1, 2)],
    "more than all tosses can have brought": [
        _call("toss", -1, 0, 1), _call("toss", -1, 2, 3), _call("read", 3, 4, 5),
    ],
}  # fmt: skip


@pytest.mark.parametrize("calls", LINEARIZABLE.values(), ids=LINEARIZABLE)
def test_an_order_is_found_where_there_is_one(calls: Sequence[Call]) -> None:
    found = linearization(calls, initial=0, step=counter)
    assert found is not None
    assert sorted(found, key=calls.index) == list(calls)
    for earlier, later in itertools.combinations(found, 2):
        assert not later.before(earlier)


@pytest.mark.parametrize("calls", NOT_LINEARIZABLE.values(), ids=NOT_LINEARIZABLE)
def test_no_order_is_found_where_there_is_none(calls: Sequence[Call]) -> None:
    assert linearization(calls, initial=0, step=counter) is None


def test_many_calls_at_once_are_judged_by_the_states_they_lead_to() -> None:
    """Ten alike can be put in 10! orders, which lead through eleven states."""
    calls = [_call("toss", -1, place, 100 + place) for place in range(10)]
    read = _call("read", 11, 200, 201)
    assert linearization([*calls, read], initial=0, step=counter) is None


def test_the_search_ends_where_it_is_told_to() -> None:
    calls = [_call("toss", -1, place, 100 + place) for place in range(16)]
    with pytest.raises(SearchTooLong):
        linearization(calls, initial=0, step=counter, configurations_max=10)


@pytest.mark.parametrize("seed", range(20))
def test_it_says_what_trying_every_order_says(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (no secret)
    calls = []
    for _ in range(5):
        invoked = chance.randrange(20)
        verb, answer = chance.choice(["add", "read"]), chance.randrange(3)
        calls.append(_call(verb, answer, invoked, invoked + chance.randrange(1, 12)))

    assert (linearization(calls, initial=0, step=counter) is not None) == _by_force(calls)


def _by_force(calls: Sequence[Call]) -> bool:
    for order in itertools.permutations(calls):
        if any(later.before(earlier) for earlier, later in itertools.combinations(order, 2)):
            continue
        states = [0]
        for call in order:
            states = [after for state in states for after in counter(state, call)]
        if states:
            return True
    return False


async def test_a_counter_without_a_lock_is_found_out() -> None:
    async def add(history: History) -> None:
        await history.call("add", doing=unlocked())

    total = 0

    async def unlocked() -> int:
        nonlocal total
        before = total
        await asyncio.sleep(0)
        total = before + 1
        return before

    history = History()
    await asyncio.gather(add(history), add(history))
    assert linearization(history.calls, initial=0, step=counter) is None


async def test_refusals_are_noted_and_anything_else_is_raised() -> None:
    async def fail() -> None:
        raise KeyError

    history = History()
    told = await history.call("take", "key", doing=fail(), refusals=(KeyError,))
    with pytest.raises(KeyError):
        await history.call("take", doing=fail())
    assert told == Refused("KeyError")
    assert history.answers("take") == [told]


async def test_a_batch_is_several_calls_that_took_as_long_as_all_of_them() -> None:
    async def two() -> list[int]:
        return [0, 1]

    history = History()
    await history.batch("add", doing=two(), answers=list)
    assert [(call.answer, call.invoked, call.returned) for call in history.calls] == [
        (0, 0, 1),
        (1, 0, 1),
    ]
