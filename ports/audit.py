"""The audit log, stored: entries are added, and none is ever changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.audit.model import Entry, Place, RecordedEntry, Wanted
    from domain.audit.seals import AuditSeal


class AuditLog(Protocol):
    """Who did what.

    The unit of work adds to it by itself: where somebody acts (``domain.shared.actors``) and
    something was written, its commit adds one entry, and both are durable or neither is.
    """

    def note(self, detail: str) -> None:
        """Say more in the entry of this unit of work, in place of what was said before."""
        ...

    async def record(self, entries: Sequence[Entry]) -> None:
        """Add entries of what was done, refused or failed elsewhere."""
        ...

    async def page(
        self, wanted: Wanted, *, before: Place | None, limit: int
    ) -> Sequence[RecordedEntry]:
        """Return entries, newest first; ``before`` is the place of the last of the page before."""
        ...

    async def unsealed(self, *, limit: int) -> Sequence[RecordedEntry]:
        """Return the entries that follow the newest seal, in order, and keep other sealers out.

        Only such are returned among and before which no other one can appear any more: one that
        commits late holds those behind it up, and is not passed over.
        """
        ...

    async def last_seal(self) -> AuditSeal | None:
        """Return the newest seal."""
        ...

    async def add_seal(self, seal: AuditSeal) -> None:
        """Store a seal, which continues the chain.

        Raises:
            AlreadyExists: there is one of its number.
        """
        ...

    async def seals(self, *, after: int, limit: int) -> Sequence[AuditSeal]:
        """Return seals that follow a number, in order."""
        ...

    async def between(self, after: int, last: int, *, limit: int) -> Sequence[RecordedEntry]:
        """Return the entries behind a place, up to another, in order."""
        ...
