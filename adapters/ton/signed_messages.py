"""Reading unsigned messages as a signer does: batches of payouts, and the sweeps of deposits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytoniq_core import Cell

from adapters.ton.messages import JettonTransfer
from domain.shared.money import AssetId, Money
from domain.signing.model import Act, Movement, Reading
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.ton.highload import HighloadWallet
    from adapters.ton.internal import InternalMessage
    from domain.shared.money import ChainId


class TonBatchReader:
    """Reads the batches of one highload wallet; implements `ports.signing.TransactionReader`."""

    def __init__(
        self, chain: ChainId, *, wallet: HighloadWallet, jetton_wallets: Mapping[str, AssetId]
    ) -> None:
        """Take the wallet, and which jettons its own jetton wallets hold.

        Args:
            chain: The network's name.
            wallet: Whose batches they are.
            jetton_wallets: Jettons by the raw address of the wallet's jetton wallet. A transfer
                names nothing else, and only a server could tell: so they are given.
        """
        self._chain: Final = chain
        self._wallet: Final = wallet
        self._jettons: Final = jetton_wallets
        self._native: Final = AssetId(f"{chain}/slip44:607")

    def read(self, unsigned: bytes, *, sender: str) -> Reading:
        """Return what a batch does. Each stands alone: a wallet may take an id again, later.

        Raises:
            MalformedCell: it is no batch of this wallet.
            SigningRefused: it is no bag of cells, somebody else's, or sends something unknown.
        """
        if sender != self._wallet.address.raw:
            raise SigningRefused(f"is not sent by {self._wallet.address.raw}")
        batch = self._wallet.read(_cell(unsigned))
        attached = sum(transfer.value for transfer in batch.transfers if transfer.bounce)
        return Reading(
            chain=self._chain,
            movements=tuple(self._movement(transfer) for transfer in batch.transfers),
            fee=Money(batch.allowance + attached, self._native),
            slot=None,
        )

    def _movement(self, transfer: InternalMessage) -> Movement:
        if not transfer.bounce:
            money = Money(transfer.value, self._native)
            return Movement(Act.PAYOUT, money, transfer.destination.raw)
        jettons, asset = JettonTransfer.parse(transfer.body), self._of(transfer)
        if jettons is None or asset is None:
            raise SigningRefused("calls a contract that is no jetton wallet of ours")
        return Movement(Act.PAYOUT, Money(jettons.amount, asset), jettons.destination.raw)

    def _of(self, transfer: InternalMessage) -> AssetId | None:
        return self._jettons.get(transfer.destination.raw)


class TonSweepReader:
    """Tells that a message is a sweep; implements `ports.signing.TransactionReader`.

    What it moves is told by its deposit wallet alone, whose place a signer of sweeps is told: that
    signer reads it to the last bit, and signs nothing that goes elsewhere than to the hot wallet.
    """

    def __init__(self, chain: ChainId) -> None:
        """Take the network's name."""
        self._chain: Final = chain

    def read(self, unsigned: bytes, *, sender: str) -> Reading:
        """Return a transaction that moves nothing but by the signer's leave.

        Raises:
            SigningRefused: it is no bag of cells.
        """
        del sender
        _cell(unsigned)
        native = AssetId(f"{self._chain}/slip44:607")
        return Reading(chain=self._chain, movements=(), fee=Money(0, native), slot=None)


def _cell(octets: bytes) -> Cell:
    try:
        return Cell.one_from_boc(octets)
    # pytoniq-core has no error of its own for what it cannot read.
    except Exception as error:
        raise SigningRefused("no bag of cells") from error
