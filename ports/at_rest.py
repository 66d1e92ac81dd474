"""Secrets where they are stored: by which key they are sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.at_rest.model import Batch, Cursor


class SecretsAtRest(Protocol):
    """All that is sealed where it is stored. A storage that keeps nothing has none."""

    @property
    def sealing(self) -> str | None:
        """The name of the key that seals what is written; None where nothing is sealed."""
        ...

    @property
    def ring(self) -> Sequence[str]:
        """The names of all keys that open, the one that seals first."""
        ...

    async def look(self, *, after: Cursor | None, limit: int) -> Batch:
        """Tell how some secrets lie, ``limit`` at most, in an order that stays the same."""
        ...

    async def reseal(self, *, after: Cursor | None, limit: int) -> Batch:
        """Seal some secrets as they would be sealed now, where they are not.

        They are locked meanwhile. What does not open is left as it is, and told.
        """
        ...
