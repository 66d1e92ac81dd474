"""Use cases of the audit log: keep what was refused, list, seal and verify."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.audit.gathering import Gathered
from domain.audit.model import Entry, Outcome
from domain.audit.seals import AuditSeal, broken, sealed
from domain.shared.actors import acting_as
from domain.shared.chaining import GENESIS
from ports.clock import Clock
from ports.unit_of_work import Begin, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.audit.model import Place, RecordedEntry, Wanted
    from domain.shared.actors import Actor

SEALED_MAX: Final = 100
"""How many entries one seal covers."""
SEALS_PAGE: Final = 100
"""How many seals are held in memory at a time while they are verified."""
UNSEALED_MAX: Final = timedelta(minutes=10)
"""How long an entry may be without a seal: what has none can still be changed unseen."""

_FIRST, _LAST = -(2**63), 2**63 - 1
"""The ends of what a place can be."""


@attrs.frozen(kw_only=True)
class Verified:
    """What verifying has found."""

    head: AuditSeal | None
    """The newest seal that is right, with all before it: published elsewhere, it proves them."""
    entries: int
    """How many entries it and those before it cover."""
    broken: str | None
    """The first place at which the log is not what was sealed."""


@attrs.frozen
class AuditService:
    """The audit log.

    What is done, its unit of work records. What is refused or fails has none that commits: it is
    gathered in memory, and ``flush`` stores it.
    """

    begin: Begin
    clock: Clock
    _gathered: Gathered = attrs.field(factory=Gathered, init=False, eq=False, repr=False)

    def gather(self, entry: Entry) -> None:
        """Keep an entry until the next ``flush``, or its number alone where there are too many."""
        self._gathered.add(entry)

    async def flush(self) -> int:
        """Store what was gathered, and return how many entries that made.

        Where the storage does not say whether it has, it is stored again: a failure in a commit
        can record something twice, and never loses it.

        Raises:
            StorageUnavailable: it will be stored the next time.
        """
        entries = self._gathered.take(at=self.clock.now())
        if not entries:
            return 0
        try:
            await self._store(entries)
        except StorageUnavailable:
            self._gathered.put_back(entries)
            raise
        return len(entries)

    async def record(
        self, actor: Actor, *, outcome: Outcome = Outcome.DONE, problem: str | None = None
    ) -> None:
        """Record what an actor has done or tried, unless its changes were recorded with it.

        Raises:
            StorageUnavailable: it may not be recorded.
        """
        if outcome is Outcome.DONE and actor.deeds.recorded:
            return
        entry = Entry.of(actor, at=self.clock.now())
        await self._store([attrs.evolve(entry, outcome=outcome, problem=problem)])

    async def page(
        self, wanted: Wanted, *, before: Place | None = None, limit: int
    ) -> Sequence[RecordedEntry]:
        """Return entries, newest first; ``before`` is the place of the last of the page before."""
        async with self.begin() as work:
            return await work.audit.page(wanted, before=before, limit=limit)

    async def seal(self) -> int:
        """Seal the oldest entries without a seal; return how many, at most ``SEALED_MAX``."""
        async with self.begin() as work:
            entries = await work.audit.unsealed(limit=SEALED_MAX)
            if entries:
                await work.audit.add_seal(sealed(await work.audit.last_seal(), entries))
                await work.commit()
        return len(entries)

    async def verify(self) -> Verified:
        """Follow the chain from the first seal to the newest, or to where it is broken."""
        head: AuditSeal | None = None
        entries = 0
        while seals := await self._seals(after=head.number if head else 0):
            for seal in seals:
                if wrong := await self._wrong(head, seal):
                    return Verified(head=head, entries=entries, broken=wrong)
                head, entries = seal, entries + seal.count
        return Verified(head=head, entries=entries, broken=await self._overdue(head))

    async def seal_of(self, number: int) -> AuditSeal | None:
        """Return the seal of a number, to be compared with what was published of it."""
        async with self.begin() as work:
            return next(iter(await work.audit.seals(after=number - 1, limit=1)), None)

    async def _wrong(self, before: AuditSeal | None, seal: AuditSeal) -> str | None:
        """Return what is wrong with a seal, of which all before it are right."""
        number, after = (before.number, before.last) if before else (0, _FIRST)
        if seal.number != number + 1:
            return f"seal {number + 1} is missing"
        try:
            async with self.begin() as work:
                entries = await work.audit.between(after, seal.last, limit=seal.count + 1)
        except ValueError as error:
            return f"seal {seal.number}: an entry that nobody could have recorded: {error}"
        wrong = broken(before.hash if before else GENESIS, seal, entries)
        return f"seal {seal.number}: {wrong}" if wrong else None

    async def _overdue(self, head: AuditSeal | None) -> str | None:
        """Return what should have been sealed long ago."""
        async with self.begin() as work:
            for first in await work.audit.between(head.last if head else _FIRST, _LAST, limit=1):
                if first.entry.at < self.clock.now() - UNSEALED_MAX:
                    return f"entry {first.sequence} and those behind it have no seal"
        return None

    async def _seals(self, *, after: int) -> Sequence[AuditSeal]:
        async with self.begin() as work:
            return await work.audit.seals(after=after, limit=SEALS_PAGE)

    async def _store(self, entries: Sequence[Entry]) -> None:
        # Recording is nobody's deed: it leaves no entry of its own.
        with acting_as(None):
            async with self.begin() as work:
                await work.audit.record(entries)
                await work.commit()
