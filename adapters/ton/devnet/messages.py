"""Messages, transactions and accounts, as far as the chain reads them.

Layouts: ``crypto/block/block.tlb`` of github.com/ton-blockchain/ton.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytoniq_core import (
    Account,
    Address,
    CurrencyCollection,
    ExtraCurrencyCollection,
    InternalMsgInfo,
    MessageAny,
)

from adapters.ton.devnet.blocks import BASECHAIN, MinedTransaction

if TYPE_CHECKING:
    from pytoniq_core import Cell

FAUCET = Address((BASECHAIN, b"\xfa" * 32))
"""Where the faucet's money comes from; nobody has its key, and it holds nothing."""


def gift(*, address: Address, amount: int, body: Cell, lt: int, at: int) -> Cell:
    """Return the message by which the faucet sends nanotons; it never bounces."""
    info = InternalMsgInfo(
        ihr_disabled=True,
        bounce=False,
        bounced=False,
        src=FAUCET,
        dest=address,
        value=CurrencyCollection(amount, ExtraCurrencyCollection({})),
        ihr_fee=0,
        fwd_fee=0,
        created_lt=lt,
        created_at=at,
    )
    message: Cell = MessageAny(info=info, init=None, body=body).serialize()
    return message


def destination(message: Cell) -> Address | None:
    """Return where a message (TL-B ``Message``) goes; None where it leaves the chain."""
    slice_ = message.begin_parse()
    if slice_.load_bit() == 0:  # int_msg_info$0 and three flags
        slice_.skip_bits(3)
    elif slice_.load_bit() == 1:  # ext_out_msg_info$11
        return None
    slice_.load_address()
    found = slice_.load_address()
    return found if isinstance(found, Address) else None


def is_external(message: Cell) -> bool:
    """Whether a message came from outside, so that an account may refuse it."""
    return bool(message.begin_parse().load_bit())


def read_transaction(account: bytes, cell: Cell) -> MinedTransaction:
    """Read TL-B ``Transaction``: the account, when, how many messages, and what it cost."""
    slice_ = cell.begin_parse().skip_bits(4 + 256)
    lt = slice_.load_uint(64)
    count = slice_.skip_bits(256 + 64 + 32).load_uint(15)
    fees = slice_.skip_bits(4).load_coins()
    return MinedTransaction(account=account, lt=lt, end_lt=lt + count + 1, fees=fees, kept=cell)


def balance_of(account: Cell) -> int:
    """Return the nanotons of TL-B ``ShardAccount``."""
    state = Account.deserialize(account.refs[0].begin_parse())
    return state.storage.balance.grams if state is not None else 0
