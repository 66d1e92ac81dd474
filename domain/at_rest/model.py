"""How secrets lie where they are stored: by which key they are sealed, and whether they open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs

Cursor: TypeAlias = tuple[str, ...]
"""Where a look at all secrets has come to; only the storage reads it."""

Kind: TypeAlias = tuple[str, str | None]
"""What a secret is of, and the name of the key that it is sealed by; None for one in clear."""


@attrs.frozen(kw_only=True)
class Batch:
    """Some of the secrets, as they lie after a look at them."""

    kinds: Mapping[Kind, int]
    """How many there are of each kind."""
    resealed: int = 0
    """How many were sealed by another key before, or by none."""
    unreadable: Sequence[str] = ()
    """Where those are that do not open, and why; they are left as they are."""
    next: Cursor | None = None
    """Where to go on; None behind the last."""


@attrs.frozen(kw_only=True)
class Standing:
    """All secrets, as they lie."""

    kinds: Mapping[Kind, int]
    sealing: str | None
    """The name of the key that seals; None where nothing is sealed."""
    ring: Sequence[str] = ()
    """The names of all keys that open."""
    resealed: int = 0
    unreadable: Sequence[str] = ()

    @property
    def outdated(self) -> int:
        """How many are not sealed as they would be now."""
        return sum(count for (_, key), count in self.kinds.items() if key != self.sealing)
