"""Secrets at rest in memory: there are none, as nothing of it outlives the process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from domain.at_rest.model import Batch

if TYPE_CHECKING:
    from domain.at_rest.model import Cursor


@attrs.frozen
class InMemorySecretsAtRest:
    """See ``ports.at_rest.SecretsAtRest``."""

    sealing: str | None = None
    ring: Sequence[str] = ()

    async def look(self, *, after: Cursor | None, limit: int) -> Batch:
        """Find nothing."""
        del after, limit
        return Batch(kinds={})

    async def reseal(self, *, after: Cursor | None, limit: int) -> Batch:
        """Find nothing to seal."""
        return await self.look(after=after, limit=limit)
