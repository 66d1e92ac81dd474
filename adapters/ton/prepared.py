"""Instructions made ready to be signed, and the chain as it was meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from pytoniq_core import BlockIdExt

from adapters.ton.deposit_wallet import DepositWallets
from adapters.ton.fees import Prices
from adapters.ton.orders import Order
from domain.shared.money import Money
from ports.signer import DepositSigner

if TYPE_CHECKING:
    from adapters.ton.accounts import AccountState
    from domain.shared.money import AssetId

MARGIN_PARTS: Final = 10
"""A tenth is added to what is told as a limit: prices and rent move before it is paid."""


@attrs.frozen(kw_only=True)
class TonPrepared:
    """An order with its time and fees; all it lacks is a number and a signature.

    Attributes:
        sender: The wallet's raw address.
        order: What is sent.
        created_at: Unix time in seconds, from which its last moment follows.
        allowance: What the highload wallet gives its batch on the way, in nanotons.
        deploy: Whether the highload wallet has to be deployed by this message.
        index: The deposit wallet's place; None for the hot wallet.
        fee_limit: See `ports.chain.Prepared`.
        needed: What the sender must hold, in nanotons.
    """

    sender: str
    order: Order
    created_at: int
    allowance: int = 0
    deploy: bool = False
    index: int | None = None
    fee_limit: Money
    needed: int


@attrs.frozen
class Deposits:
    """The deposit wallets, and who holds their keys."""

    wallets: DepositWallets
    signer: DepositSigner


@attrs.frozen
class ChainNow:
    """The chain as it is while an instruction is prepared."""

    block: BlockIdExt
    time: int
    prices: Prices

    def idle_seconds(self, state: AccountState) -> int:
        """Return for how long an account owes rent."""
        return max(0, self.time - state.paid_until) if state.paid_until else 0


def limit(nanotons: int, native: AssetId) -> Money:
    """Return what is told as the most that something takes."""
    return Money(nanotons + nanotons // MARGIN_PARTS, native)
