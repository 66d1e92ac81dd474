"""How the providers of a chain serve, as far as this process knows: nobody is asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.platform.model import Provider


class ProviderHealth(Protocol):
    """The providers of one chain."""

    def standing(self) -> Sequence[Provider]:
        """Return every provider and whether it is asked now, in the order of the settings."""
        ...
