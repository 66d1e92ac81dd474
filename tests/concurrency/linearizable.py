"""Is there an order in which calls, one after the other, would have been answered as they were?

The search is Wing and Gong's ("Testing and Verifying Concurrent Objects", Journal of Parallel and
Distributed Computing 17, 1993): take some call that no other one must precede, ask the sequential
model, go on with the rest. It remembers which sets of calls have come to which states, as Lowe
does ("Testing for linearizability", Concurrency and Computation 29(4), 2017), so that what was
tried in one order is not tried again in another.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.concurrency.history import Call

State = TypeVar("State", bound=Hashable)
Step: TypeAlias = "Callable[[State, Call], Iterable[State]]"
"""The states after a call in a state; none where it would have been answered otherwise."""

CONFIGURATIONS_MAX = 200_000
"""How many pairs of calls made and state reached are looked at before giving up."""


@attrs.frozen
class SearchTooLong(Exception):
    """The history is too wide to be judged: fewer tasks, or a model with fewer states."""

    configurations: int


def linearization(
    calls: Sequence[Call],
    *,
    initial: State,
    step: Step[State],
    configurations_max: int = CONFIGURATIONS_MAX,
) -> Sequence[Call] | None:
    """Return the calls in an order that explains their answers, or None where there is none.

    Raises:
        SearchTooLong: neither was found in time.
    """
    everything = (1 << len(calls)) - 1
    seen: set[tuple[int, State]] = set()
    path: list[tuple[int, Call]] = []
    branches = [_branches(calls, 0, initial, step)]
    while branches:
        for place, done, state in branches[-1]:
            if (done, state) in seen:
                continue
            seen.add((done, state))
            if len(seen) > configurations_max:
                raise SearchTooLong(len(seen))
            path.append((place, calls[place]))
            if done == everything:
                return [call for _, call in path]
            branches.append(_branches(calls, done, state, step))
            break
        else:
            branches.pop()
            if path:
                path.pop()
    return [] if not calls else None


def _branches(
    calls: Sequence[Call], done: int, state: State, step: Step[State]
) -> Iterable[tuple[int, int, State]]:
    """Yield each call that may come next: its place, all calls made with it, the state after."""
    left = [place for place in range(len(calls)) if not done >> place & 1]
    first_response = min((calls[place].returned for place in left), default=0)
    for place in left:
        if calls[place].invoked > first_response:
            continue
        for following in step(state, calls[place]):
            yield place, done | 1 << place, following
