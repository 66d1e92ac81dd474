"""Messages that our wallets send to contracts and wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from attrs.validators import ge, le
from pytoniq_core import Cell

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import COINS_MAX, MalformedCell, Reader, Writer
from adapters.ton.external import StateInit
from adapters.ton.messages import comment

if TYPE_CHECKING:
    from adapters.ton.messages import JettonTransfer

_UNKNOWN_YET_BITS: Final = 1 + 4 + 4 + 64 + 32
"""No currencies besides the coin (1), ihr_fee (4), fwd_fee (4), created_lt (64), created_at (32):
the chain fills in what is not the sender's to say."""


@attrs.frozen(kw_only=True)
class InternalMessage:
    """A message, as a wallet is told to send it (``MessageRelaxed``, block.tlb).

    The bounce flag has no default. A message to a contract bounces, so that what the contract
    refuses comes back; one to a person's wallet does not, since the wallet may not be deployed.

    Attributes:
        destination: Whom to.
        value: In nanotons.
        bounce: Whether the value comes back if the destination is not there or refuses.
        body: The empty cell for none.
        init: What the destination begins with, if the message is to deploy it.
    """

    destination: TonAddress
    value: int = attrs.field(validator=[ge(0), le(COINS_MAX)])
    bounce: bool
    body: Cell = attrs.field(factory=Cell.empty)
    init: StateInit | None = None

    def to_cell(self) -> Cell:
        """Return ``int_msg_info$0`` with state and body by reference, always: one layout."""
        written = (
            Writer()
            .bits("01")  # int_msg_info$0, ihr_disabled
            .uint(self.bounce, 1)
            .bits("000")  # not bounced; from addr_none$00
            .address(self.destination)
            .coins(self.value)
            .uint(0, _UNKNOWN_YET_BITS)
        )
        if self.init is None:
            written.bits("0")
        else:
            written.bits("11").reference(self.init.to_cell())
        return written.bits("1").reference(self.body).end()

    @classmethod
    def parse(cls, cell: Cell) -> InternalMessage:
        """Read what `to_cell` has written; any other message is refused.

        Raises:
            MalformedCell: it is something else, or says more.
        """
        reader = Reader(cell)
        if reader.uint(2) != 1:
            raise MalformedCell("no internal message without instant routing")
        bounce = reader.flag()
        if reader.uint(3):
            raise MalformedCell("a message of somebody, or bounced")
        destination = reader.address()
        if destination is None:
            raise MalformedCell("a message to nobody")
        value = reader.coins()
        if reader.uint(_UNKNOWN_YET_BITS):
            raise MalformedCell("a message with other currencies, or fees")
        init = None
        if reader.flag():
            if not reader.flag():
                raise MalformedCell("a message with its state in place")
            init = StateInit.parse(reader.reference())
        if not reader.flag():
            raise MalformedCell("a message with its body in place")
        body = reader.reference()
        reader.end()
        return cls(destination=destination, value=value, bounce=bounce, body=body, init=init)


def coin_transfer(
    *, destination: TonAddress, amount: int, bounce: bool, memo: str | None = None
) -> InternalMessage:
    """Return a transfer of coins.

    Args:
        destination: Whom to.
        amount: In nanotons.
        bounce: False for a person's wallet.
        memo: The comment that the recipient sees; none, if None.
    """
    body = Cell.empty() if memo is None else comment(memo)
    return InternalMessage(destination=destination, value=amount, bounce=bounce, body=body)


def jetton_transfer(
    *, jetton_wallet: TonAddress, attached: int, transfer: JettonTransfer
) -> InternalMessage:
    """Return a transfer of jettons: a message to the *sender's own* jetton wallet; it bounces.

    Args:
        jetton_wallet: As the jetton's minter names it for the sender.
        attached: In nanotons, for gas and the forward amount; see `adapters.ton.fees`.
        transfer: What of, how much and whom to.
    """
    return InternalMessage(
        destination=jetton_wallet, value=attached, bounce=True, body=transfer.to_cell()
    )
