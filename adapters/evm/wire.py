"""What a node says, typed: the members of the Ethereum JSON-RPC answers that are used here.

Names and shapes are those of https://github.com/ethereum/execution-apis. Everything is checked
where it comes in; quantities stay hex text until they are needed.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec

Quantity: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{1,64}\Z")]
Hash: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{64}\Z")]
Address: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{40}\Z")]
Bytes: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A0x(?:[0-9a-fA-F]{2})*\Z")]


class BlockHeader(msgspec.Struct, rename="camel", frozen=True):
    """A block without its transactions' bodies (``eth_getBlockByNumber``)."""

    number: Quantity
    hash: Hash
    parent_hash: Hash
    timestamp: Quantity
    logs_bloom: Bytes
    base_fee_per_gas: Quantity | None = None


class TransactionLine(msgspec.Struct, frozen=True, gc=False):
    """A transaction as a block's body shows it, nothing checked; most are strangers'."""

    hash: str
    value: str
    source: str = msgspec.field(name="from")
    target: str | None = msgspec.field(name="to", default=None)


class Body(BlockHeader, frozen=True):
    """A block with its transactions."""

    transactions: list[TransactionLine] = []


class Topics(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """A log's topics as a node writes them: the EVM knows no fifth."""

    first: str | None = None
    second: str | None = None
    third: str | None = None
    fourth: str | None = None


class LogLine(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """One event as a node writes it (``eth_getLogs``), nothing checked.

    A busy token has thousands of them in each block, and nearly all are of strangers. Nothing in
    them is tracked by the garbage collector, which costs as much as reading them otherwise. What
    may be of ours becomes a `Log`.
    """

    address: str
    topics: Topics
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    log_index: str
    removed: bool = False


class Log(msgspec.Struct, rename="camel", frozen=True):
    """One event, each of its members checked."""

    address: Address
    topics: tuple[Hash, ...]
    data: Bytes
    block_number: Quantity
    block_hash: Hash
    transaction_hash: Hash
    log_index: Quantity
    removed: bool = False


class Receipt(msgspec.Struct, rename="camel", frozen=True):
    """What became of a transaction (``eth_getTransactionReceipt``)."""

    transaction_hash: Hash
    block_number: Quantity
    block_hash: Hash
    status: Quantity
    gas_used: Quantity
    effective_gas_price: Quantity
    l1_fee: Quantity | None = None
    """What rollups of the OP stack take on top for their layer 1, in wei."""
    logs: list[LogLine] = []


class FeeHistory(msgspec.Struct, rename="camel", frozen=True):
    """Recent fees (``eth_feeHistory``); the last base fee is the next block's."""

    base_fee_per_gas: tuple[Quantity, ...] | None = None
    reward: tuple[tuple[Quantity, ...], ...] | None = None
    gas_used_ratio: tuple[float, ...] | None = None
    """How full the blocks are, from 0 to 1."""


class TransactionName(msgspec.Struct, frozen=True):
    """A transaction that the node knows (``eth_getTransactionByHash``)."""

    hash: Hash


QUANTITY: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(Quantity)
BYTES: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(Bytes)
HASH: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(Hash)
HEADER: Final[msgspec.json.Decoder[BlockHeader | None]] = msgspec.json.Decoder(BlockHeader | None)
BODY: Final[msgspec.json.Decoder[BlockHeader | None]] = msgspec.json.Decoder(Body | None)
LOGS: Final[msgspec.json.Decoder[list[LogLine]]] = msgspec.json.Decoder(list[LogLine])
RECEIPT: Final[msgspec.json.Decoder[Receipt | None]] = msgspec.json.Decoder(Receipt | None)
FEES: Final[msgspec.json.Decoder[FeeHistory]] = msgspec.json.Decoder(FeeHistory)
KNOWN: Final[msgspec.json.Decoder[TransactionName | None]] = msgspec.json.Decoder(
    TransactionName | None
)


def checked(line: LogLine) -> Log:
    """Return an event as one that makes sense.

    Raises:
        msgspec.ValidationError: it does not.
    """
    written = msgspec.to_builtins(line)
    while written["topics"] and written["topics"][-1] is None:
        written["topics"].pop()
    return msgspec.convert(written, Log)


def number(quantity: str) -> int:
    """Decode a quantity such as ``0x1f``."""
    return int(quantity, 16)
