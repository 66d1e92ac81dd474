"""What a transaction has taken in, sent and changed (block.tlb, ``transaction$0111``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import attrs
from pytoniq_core import Cell
from pytoniq_core.tlb.transaction import InternalMsgInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytoniq_core import Address
    from pytoniq_core.tlb.transaction import MessageAny, Transaction

MessageName: TypeAlias = "tuple[str, int]"
"""Who has sent a message and when, in logical time: no two messages share both."""


@attrs.frozen(eq=False)
class Message:
    """A message from one account to another."""

    info: InternalMsgInfo
    body: Cell

    @property
    def name(self) -> MessageName:
        """The message's name, the same where it is sent and where it is taken in."""
        return self.source, self.info.created_lt

    @property
    def source(self) -> str:
        """The sender's raw address."""
        return raw(self.info.src)

    @property
    def target(self) -> str:
        """The recipient's raw address."""
        return raw(self.info.dest)

    @property
    def value(self) -> int:
        """The coins it brings, in nanotons."""
        return int(self.info.value_coins)

    @property
    def bounced(self) -> bool:
        """Whether it is another one's coming back; only the chain itself can say so."""
        return bool(self.info.bounced)

    @property
    def cost(self) -> int:
        """What its sender is charged when it is sent, in nanotons.

        What forwarding costs is in its transaction's fees for one part, and here for the other.
        """
        return int(self.value + self.info.fwd_fee + self.info.ihr_fee)


def raw(address: Address) -> str:
    """Return an address as it is stored: workchain and 64 hexadecimal digits, lower case."""
    return f"{address.wc}:{address.hash_part.hex()}"


def account_of(transaction: Transaction) -> str:
    """Return the raw address of a transaction's account, which is of the basic workchain."""
    return f"0:{transaction.account_addr_hex}"


def taken_in(transaction: Transaction) -> Message | None:
    """Return the message that an account has sent here, if it was one."""
    return _between_accounts(transaction.in_msg) if transaction.in_msg is not None else None


def sent_out(transaction: Transaction) -> Sequence[Message]:
    """Return the messages to accounts that a transaction has sent, in their order."""
    told = map(_between_accounts, transaction.out_msgs)
    return [message for message in told if message is not None]


def aborted(transaction: Transaction) -> bool:
    """Tell whether the contract has not run, or all that it did was undone."""
    return bool(transaction.description.aborted)


def went_back(transaction: Transaction) -> bool:
    """Tell whether what came in was refused and its coins were sent back."""
    message = taken_in(transaction)
    return message is not None and bool(message.info.bounce) and aborted(transaction)


def change(transaction: Transaction) -> int:
    """Return by how much a transaction has changed its account's coins, in nanotons."""
    message = taken_in(transaction)
    came = 0 if message is None else message.value + message.info.ihr_fee
    went = sum(message.cost for message in sent_out(transaction))
    return int(came - went - transaction.total_fees.grams)


def _between_accounts(message: MessageAny) -> Message | None:
    info = message.info
    return Message(info, message.body) if isinstance(info, InternalMsgInfo) else None
