"""The audit log, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.turn import Turn
from domain.audit.model import DETAIL_MAX, Entry, Place, RecordedEntry, written
from ports.unit_of_work import AlreadyExists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.audit.model import Wanted
    from domain.audit.seals import AuditSeal
    from domain.shared.actors import Actor


@attrs.define(eq=False)
class InMemoryAuditLog:
    """See ``ports.audit.AuditLog``. Places have no gaps: what is undone gives its own back."""

    _turn: Turn
    _detail: str | None = attrs.field(default=None, init=False)

    def note(self, detail: str) -> None:
        """Say more in the entry of this unit of work."""
        self._detail = detail[:DETAIL_MAX]

    async def tell(self, actor: Actor) -> bool:
        """Record what an actor has written in this turn; return whether there is anything."""
        await self._turn.tables()
        store = self._turn.store
        names = [key for _, key, _ in store.journal.changes()]
        if not names:
            return False
        entry = Entry.of(actor, at=store.clock.now(), objects=written(names))
        await self.record([attrs.evolve(entry, detail=self._detail)])
        return True

    async def record(self, entries: Sequence[Entry]) -> None:
        """Add entries of what was done, refused or failed elsewhere."""
        table = (await self._turn.tables()).audit
        for entry in entries:
            table.put(len(table) + 1, entry)

    async def page(
        self, wanted: Wanted, *, before: Place | None, limit: int
    ) -> Sequence[RecordedEntry]:
        """Return entries, newest first; ``before`` is the place of the last of the page before."""
        entries = (await self._turn.tables()).audit.items()
        found = sorted(
            (
                (Place(entry.at, sequence), entry)
                for sequence, entry in entries
                if _is_wanted(entry, wanted)
                and (before is None or Place(entry.at, sequence) < before)
            ),
            key=lambda it: it[0],
            reverse=True,
        )
        return [RecordedEntry(place.sequence, entry) for place, entry in found[:limit]]

    async def unsealed(self, *, limit: int) -> Sequence[RecordedEntry]:
        """Return the entries that follow the newest seal; nobody else is under way anyhow."""
        last = await self.last_seal()
        table = (await self._turn.tables()).audit
        return await self.between(last.last if last else 0, len(table), limit=limit)

    async def last_seal(self) -> AuditSeal | None:
        """Return the newest seal."""
        seals = (await self._turn.tables()).audit_seals
        return seals.get(len(seals))

    async def add_seal(self, seal: AuditSeal) -> None:
        """Store a seal."""
        seals = (await self._turn.tables()).audit_seals
        if seal.number in seals:
            self._turn.refuse(AlreadyExists("audit_seal", str(seal.number)))
        seals.put(seal.number, seal)

    async def seals(self, *, after: int, limit: int) -> Sequence[AuditSeal]:
        """Return seals that follow a number, in order."""
        items = (await self._turn.tables()).audit_seals.items()
        return [seal for number, seal in sorted(items, key=lambda it: it[0]) if number > after][
            :limit
        ]

    async def between(self, after: int, last: int, *, limit: int) -> Sequence[RecordedEntry]:
        """Return the entries behind a place, up to another, in order."""
        items = (await self._turn.tables()).audit.items()
        found = sorted(
            ((number, entry) for number, entry in items if after < number <= last),
            key=lambda it: it[0],
        )
        return [RecordedEntry(number, entry) for number, entry in found[:limit]]


def _is_wanted(entry: Entry, wanted: Wanted) -> bool:
    return (
        wanted.merchant_id in (None, entry.merchant_id)
        and wanted.actor_id in (None, entry.actor_id)
        and wanted.action in (None, entry.action)
        and (wanted.object is None or wanted.object in entry.objects)
        and (wanted.since is None or entry.at >= wanted.since)
        and (wanted.until is None or entry.at < wanted.until)
    )
