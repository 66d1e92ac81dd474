"""New identifiers and secrets."""

from __future__ import annotations

from typing import Protocol


class Ids(Protocol):
    """Draws identifiers that nobody has drawn before."""

    def new(self, kind: str) -> str:
        """Return a new identifier of a kind named in ``domain.shared.ids.PREFIXES``.

        At most 32 ASCII characters; later ones sort after earlier ones.
        """
        ...

    def entropy(self, size: int) -> bytes:
        """Return that many unpredictable bytes."""
        ...
