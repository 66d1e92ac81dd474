"""What a chain's network takes at the moment; told without any key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.network_fees.model import NetworkFees
    from domain.shared.money import ChainId


class FeeMarket(Protocol):
    """Watches what one chain's transactions cost."""

    chain: ChainId

    async def fees(self, *, within_seconds: int | None = None) -> NetworkFees:
        """Return what to offer, by the last blocks.

        ``within_seconds`` adds an offer named ``target``: the least with which a transaction is
        probably in a block by then, or the highest one known where none is enough.

        Raises:
            ChainUnavailable: no node answered.
        """
        ...
