"""What is asked of a node, through whatever client the deployment has for its chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Protocol, TypeAlias, TypeVar

import attrs
import msgspec

from domain.chains.model import Block
from ports.chain import ChainUnavailable
from ports.exchange import ExchangeUnavailable

_Answer = TypeVar("_Answer")

_Quantity: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{1,64}\Z")]
_Hash: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{64}\Z")]
_Address: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-fA-F]{40}\Z")]
_Bytes: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A0x(?:[0-9a-fA-F]{2})*\Z")]


class CallRefused(Exception):
    """The node has answered with an error of its own.

    Attributes:
        message: The node's words.
        data: What a reverted call has returned, as ``0x`` hex, if the node says.
        reverted: Whether it was a contract that refused, which is an answer.
    """

    def __init__(self, message: str, *, data: str | None, reverted: bool) -> None:
        super().__init__(message[:300])
        self.message = message
        self.data = data
        self.reverted = reverted


@attrs.frozen
class Request:
    """One call of a JSON-RPC method with its positional parameters, as JSON takes them."""

    method: str
    params: Sequence[object] = ()


class EvmRequests(Protocol):
    """A client of a node that is known to be of the right chain."""

    async def ask(self, request: Request, *, answer: msgspec.json.Decoder[_Answer]) -> _Answer:
        """Ask once.

        Raises:
            CallRefused: the node answered with an error.
            ChainUnavailable: it did not answer, or nothing usable.
        """
        ...

    async def ask_all(
        self, requests: Sequence[Request], *, answer: msgspec.json.Decoder[_Answer]
    ) -> Sequence[_Answer]:
        """Ask many things of one kind in one batch; return the answers in order.

        Raises:
            CallRefused: the node answered one of them with an error.
            ChainUnavailable: it did not answer all of them, or nothing usable.
        """
        ...


class Header(msgspec.Struct, rename="camel", frozen=True):
    """A block's header (``eth_getBlockByNumber``)."""

    number: _Quantity
    hash: _Hash
    parent_hash: _Hash
    timestamp: _Quantity

    def block(self) -> Block:
        """Return it as the domain knows blocks."""
        time = datetime.fromtimestamp(int(self.timestamp, 16), tz=UTC)
        return Block(int(self.number, 16), self.hash.lower(), self.parent_hash.lower(), time)


class Log(msgspec.Struct, frozen=True):
    """One event of a receipt."""

    address: _Address
    topics: tuple[_Hash, ...]
    data: _Bytes


class Receipt(msgspec.Struct, rename="camel", frozen=True):
    """What became of a transaction (``eth_getTransactionReceipt``)."""

    block_number: _Quantity
    block_hash: _Hash
    status: _Quantity
    gas_used: _Quantity
    logs: tuple[Log, ...]


class Transaction(msgspec.Struct, frozen=True):
    """What was sent (``eth_getTransactionByHash``)."""

    sender: _Address = msgspec.field(name="from")
    input: _Bytes
    gas: _Quantity
    value: _Quantity
    to: _Address | None = None


QUANTITY: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(_Quantity)
_OUTPUT: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(_Bytes)
HEADER: Final[msgspec.json.Decoder[Header | None]] = msgspec.json.Decoder(Header | None)
RECEIPT: Final[msgspec.json.Decoder[Receipt | None]] = msgspec.json.Decoder(Receipt | None)
TRANSACTION: Final[msgspec.json.Decoder[Transaction | None]] = msgspec.json.Decoder(
    Transaction | None
)


@attrs.frozen
class Asking:
    """Asks a node; every fault is an `ExchangeUnavailable`, unless a contract has spoken."""

    requests: EvmRequests

    async def ask(self, request: Request, *, answer: msgspec.json.Decoder[_Answer]) -> _Answer:
        """Ask once.

        Raises:
            ExchangeUnavailable: the node did not answer, or with an error.
        """
        try:
            return await self.requests.ask(request, answer=answer)
        except (CallRefused, ChainUnavailable) as error:
            raise ExchangeUnavailable(f"{request.method}: {error}") from error

    async def ask_all(
        self, requests: Sequence[Request], *, answer: msgspec.json.Decoder[_Answer]
    ) -> Sequence[_Answer]:
        """Ask many things of one kind in one batch; return the answers in order.

        Raises:
            ExchangeUnavailable: the node did not answer all of them.
        """
        if not requests:
            return ()
        try:
            return await self.requests.ask_all(requests, answer=answer)
        except (CallRefused, ChainUnavailable) as error:
            raise ExchangeUnavailable(f"{requests[0].method}: {error}") from error

    async def read(
        self, calls: Sequence[tuple[str, bytes]], *, at: str | None = None
    ) -> list[bytes]:
        """Return what contracts answer, all in one batch.

        Args:
            calls: Whom and what, each.
            at: The block's hash, by which a node without it cannot answer (EIP-1898); None is the
                newest one.

        Raises:
            ExchangeUnavailable: the node did not answer, or a contract refused.
        """
        block = "latest" if at is None else {"blockHash": at}
        requests = [
            Request("eth_call", [{"to": target, "data": "0x" + data.hex()}, block])
            for target, data in calls
        ]
        outputs = await self.ask_all(requests, answer=_OUTPUT)
        return [bytes.fromhex(output[2:]) for output in outputs]

    async def attempt(self, request: Request) -> CallRefused | None:
        """Run a call and return how a contract, or the machine, has refused it, if one has.

        Raises:
            ExchangeUnavailable: the node did not answer.
        """
        try:
            await self.requests.ask(request, answer=_OUTPUT)
        except CallRefused as refusal:
            return refusal
        except ChainUnavailable as error:
            raise ExchangeUnavailable(f"{request.method}: {error}") from error
        return None
