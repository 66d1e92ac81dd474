"""A node that says by heart what it was told to: blocks full of strangers' transfers.

It runs in a process of its own: ``python -m tests.benchmarks.canned_node '{"port": …}'``. Answers
are put together from pieces that were made before it listens: it is never what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any, cast

import attrs
import uvloop
from eth_hash.auto import keccak

from adapters.evm.facts import TRANSFER

if TYPE_CHECKING:
    from collections.abc import Iterator

CHAIN_ID = 424_242
TOKEN, ESCROW = "0x" + "70" * 20, "0x" + "e5" * 20
STRANGERS = 50_000
"""Among whom the blocks' transfers go back and forth."""
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@attrs.frozen
class Order:
    """How much there is to read, and where."""

    port: int
    blocks: int
    logs: int
    """In each block; the first of each goes to a watched address."""
    watched: int


def watched(place: int) -> str:
    """Return the address at a place among those that are watched."""
    return "0x" + keccak(b"watched %d" % place)[-20:].hex()


class Node(asyncio.Protocol):
    """One connection: requests of any length, answered one after the other."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._received = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        assert self._transport is not None
        self._received += data
        while (end := self._received.find(_HEAD_END)) >= 0:
            head, start = bytes(self._received[:end]).lower(), end + len(_HEAD_END)
            length = 0
            if (named := head.find(_LENGTH)) >= 0:
                length = int(head[named + len(_LENGTH) :].split(b"\r\n", 1)[0])
            if len(self._received) < start + length:
                return
            body = bytes(self._received[start : start + length])
            del self._received[: start + length]
            answer = list(self._blocks.answer(body)) if body else [b"ready"]
            size = sum(map(len, answer))
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                % size
            )
            self._transport.writelines(answer)


class Blocks:
    """A chain of blocks, in JSON."""

    def __init__(self, order: Order) -> None:
        hashes = ["0x" + keccak(b"block %d" % at).hex() for at in range(order.blocks + 1)]
        self._latest = order.blocks
        self._headers = [_header(at, hashes) for at in range(order.blocks + 1)]
        self._logs = [b"", *(_logs(at, hashes[at], order) for at in range(1, order.blocks + 1))]

    def answer(self, body: bytes) -> Iterator[bytes]:
        """Yield the pieces of an answer to one call, or to a batch."""
        request = json.loads(body)
        if isinstance(request, dict):
            yield from self._one(request)
            return
        for at, call in enumerate(request):
            yield b"," if at else b"["
            yield from self._one(call)
        yield b"]"

    def _one(self, call: dict[str, Any]) -> Iterator[bytes]:
        yield b'{"jsonrpc":"2.0","id":%s,"result":' % json.dumps(call["id"]).encode()
        match call["method"]:
            case "eth_getLogs":
                wanted = call["params"][0]
                first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
                yield b"["
                for at in range(first, last + 1):
                    yield b"," if at > first else b""
                    yield self._logs[at]
                yield b"]"
            case "eth_getBlockByNumber":
                at = int(call["params"][0], 16)
                yield self._headers[at] if at <= self._latest else b"null"
            case "eth_chainId":
                yield b'"0x%x"' % CHAIN_ID
            case "eth_blockNumber":
                yield b'"0x%x"' % self._latest
            case _:
                yield b'"0x%064x"' % 6  # The token's decimals, and some code at any address.
        yield b"}"


def _header(at: int, hashes: list[str]) -> bytes:
    header = {
        "number": hex(at),
        "hash": hashes[at],
        "parentHash": hashes[at - 1] if at else "0x" + "0" * 64,
        "timestamp": hex(1_700_000_000 + at),
        "logsBloom": "0x" + "f" * 512,
    }
    return json.dumps(header).encode()


def _logs(block: int, hash: str, order: Order) -> bytes:
    """Return a block's logs with their commas, each as long as a node writes it."""
    logs = []
    for at in range(order.logs):
        place = block * order.logs + at
        target = _word(keccak(b"stranger %d" % (place * 7 % STRANGERS))[-20:].hex())
        if at == 0:
            target = _word(watched(block * 31 % order.watched)[2:])
        log = {
            "address": TOKEN,
            "topics": [TRANSFER, _word(f"{place % STRANGERS:040x}"), target],
            "data": f"0x{place + 1:064x}",
            "blockHash": hash,
            "blockNumber": hex(block),
            "blockTimestamp": hex(1_700_000_000 + block),
            "transactionHash": "0x" + keccak(b"transaction %d" % place).hex(),
            "transactionIndex": hex(at),
            "logIndex": hex(at),
            "removed": False,
        }
        logs.append(json.dumps(log, separators=(",", ":")))
    return ",".join(logs).encode()


def _word(digits: str) -> str:
    return "0x" + digits.rjust(64, "0")


async def serve(order: Order) -> None:
    """Answer until the process is ended."""
    blocks = Blocks(order)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Node(blocks), "127.0.0.1", order.port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(Order(**json.loads(sys.argv[1]))))
