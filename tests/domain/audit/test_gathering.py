"""What is gathered is bounded, whoever asks for how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.audit.gathering import AT_THE_DOOR_MAX, ENTRIES_MAX, LOST_ACTION, Gathered
from domain.audit.model import Entry, Outcome
from tests.builders import NOON
from tests.contracts.audit import an_entry

if TYPE_CHECKING:
    from typing import Any


def turned_away(number: int = 0, **changes: Any) -> Entry:  # noqa: ANN401 (of any type)
    refused = an_entry(status=401, problem="unauthenticated", address=f"192.0.2.{number}", times=1)
    return attrs.evolve(refused, **changes)


def test_what_was_refused_inside_is_kept_one_by_one() -> None:
    gathered = Gathered()
    for number in range(3):
        gathered.add(an_entry(request_id=f"req_{number}"))
    assert [it.request_id for it in gathered.take(at=NOON)] == ["req_0", "req_1", "req_2"]
    assert gathered.take(at=NOON) == []


def test_who_is_turned_away_again_and_again_makes_one_entry() -> None:
    gathered = Gathered()
    for number in range(7):
        gathered.add(turned_away(request_id=f"req_{number}"))
    gathered.add(turned_away(1))
    gathered.add(turned_away(problem="other"))
    gathered.add(turned_away(detail="sy_live_abcd…wxyz"))
    first, *others = gathered.take(at=NOON)
    assert (first.times, first.request_id) == (7, "req_0")
    assert [it.times for it in others] == [1, 1, 1]


def test_of_too_many_the_number_is_kept() -> None:
    gathered = Gathered()
    for number in range(AT_THE_DOOR_MAX + 20):
        gathered.add(turned_away(number))
    inside = ENTRIES_MAX - AT_THE_DOOR_MAX
    for _ in range(inside + 3):
        gathered.add(an_entry(times=1))

    *kept, lost = gathered.take(at=NOON)

    assert len(kept) == ENTRIES_MAX
    assert sum(it.status == 401 for it in kept) == AT_THE_DOOR_MAX
    assert lost == Entry(at=NOON, action=LOST_ACTION, outcome=Outcome.LOST, times=23)


def test_what_could_not_be_stored_is_gathered_again() -> None:
    gathered = Gathered()
    for number in range(AT_THE_DOOR_MAX + 2):
        gathered.add(turned_away(number))
    gathered.add(an_entry())
    taken = gathered.take(at=NOON)
    gathered.add(turned_away(0))

    gathered.put_back(taken)

    *kept, lost = gathered.take(at=NOON)
    assert lost.times == 2
    assert sum(it.times for it in kept if it.status == 401) + lost.times == AT_THE_DOOR_MAX + 3
    assert sum(it.status == 409 for it in kept) == 1
