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


class Log(msgspec.Struct, rename="camel", frozen=True):
    """One event (``eth_getLogs``)."""

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


class FeeHistory(msgspec.Struct, rename="camel", frozen=True):
    """Recent fees (``eth_feeHistory``); the last base fee is the next block's."""

    base_fee_per_gas: tuple[Quantity, ...] | None = None
    reward: tuple[tuple[Quantity, ...], ...] | None = None


class TransactionName(msgspec.Struct, frozen=True):
    """A transaction that the node knows (``eth_getTransactionByHash``)."""

    hash: Hash


QUANTITY: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(Quantity)
BYTES: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(Bytes)
HASH: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(Hash)
HEADER: Final[msgspec.json.Decoder[BlockHeader | None]] = msgspec.json.Decoder(BlockHeader | None)
LOGS: Final[msgspec.json.Decoder[list[Log]]] = msgspec.json.Decoder(list[Log])
RECEIPT: Final[msgspec.json.Decoder[Receipt | None]] = msgspec.json.Decoder(Receipt | None)
FEES: Final[msgspec.json.Decoder[FeeHistory]] = msgspec.json.Decoder(FeeHistory)
KNOWN: Final[msgspec.json.Decoder[TransactionName | None]] = msgspec.json.Decoder(
    TransactionName | None
)


def number(quantity: str) -> int:
    """Decode a quantity such as ``0x1f``."""
    return int(quantity, 16)
