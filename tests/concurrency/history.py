"""What happened when calls overlapped: who asked what, when, and what he was told.

A call has two instants, its invocation and its response, on one counter for all: a call that
ended before another began is known to come first, of two that overlap nothing is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@attrs.frozen
class Refused:
    """A call was answered with an exception of this name."""

    by: str


@attrs.frozen(kw_only=True)
class Call:
    """One call: ``answer`` is what it returned, or ``Refused``."""

    verb: str
    arguments: tuple[Hashable, ...] = ()
    answer: Hashable = None
    invoked: int
    returned: int

    def before(self, other: Call) -> bool:
        """Tell whether this call had ended when the other one began."""
        return self.returned < other.invoked


@attrs.frozen
class History:
    """The calls of many tasks, in the order of their responses."""

    calls: list[Call] = attrs.field(factory=list)
    _instants: Iterator[int] = attrs.field(factory=itertools.count)

    async def call(
        self,
        verb: str,
        *arguments: Hashable,
        doing: Awaitable[Any],
        answer: Callable[[Any], Hashable] = lambda result: result,
        refusals: tuple[type[Exception], ...] = (),
    ) -> Hashable:
        """Carry a call out and note it; ``answer`` picks what of the result is to be checked.

        Any exception that is not among ``refusals`` is raised, and nothing is noted.
        """
        told: Hashable
        invoked = next(self._instants)
        try:
            told = answer(await doing)
        except refusals as refusal:
            told = Refused(type(refusal).__name__)
        self._note(verb, arguments, told, invoked, next(self._instants))
        return told

    async def batch(
        self,
        verb: str,
        *,
        doing: Awaitable[Any],
        answers: Callable[[Any], list[Hashable]],
    ) -> None:
        """Carry a call out that is several, one after the other: each is atomic, all are not.

        Each is noted as if it had taken as long as all of them; ``answers`` tells them apart.
        """
        invoked = next(self._instants)
        told = answers(await doing)
        returned = next(self._instants)
        for answer in told:
            self._note(verb, (), answer, invoked, returned)

    def answers(self, verb: str) -> list[Hashable]:
        """Return what the calls of one verb were told."""
        return [call.answer for call in self.calls if call.verb == verb]

    def _note(
        self,
        verb: str,
        arguments: tuple[Hashable, ...],
        answer: Hashable,
        invoked: int,
        returned: int,
    ) -> None:
        self.calls.append(
            Call(verb=verb, arguments=arguments, answer=answer, invoked=invoked, returned=returned)
        )
