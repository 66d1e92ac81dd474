"""The load generator: keep-alive connections that each ask, wait for the answer and ask again.

It runs in a process of its own: ``python -m tests.benchmarks.load '{"port": …}'`` prints what came
back as JSON. Requests under way when the time is over are waited for, so that the answers counted
here are all there were.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, cast

import attrs
import uvloop

if TYPE_CHECKING:
    from collections.abc import Sequence

LAST_ANSWERS_SECONDS = 20.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = slice(9, 12)
"""Where the status is in ``HTTP/1.1 201 Created``."""


@attrs.frozen(kw_only=True)
class Order:
    """What to ask, how often at a time, and for how long."""

    port: int
    connections: int
    seconds: float
    path: str
    method: str = "GET"
    api_key: str = ""
    body: str = ""


@attrs.frozen(kw_only=True)
class Outcome:
    """What came back. Times are from a request's first byte to its answer's last one."""

    answers: dict[str, int]
    """How many of each status."""
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_seconds: float
    """What this process has spent."""

    @property
    def total(self) -> int:
        """How many answers there were, of whatever status."""
        return sum(self.answers.values())

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return self.total / self.seconds


def percentile_ms(seconds: Sequence[float], percent: int) -> float:
    """Return the time, in ms, that so many in a hundred stay within."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] * 1000


class _Load:
    """What all connections share: the request, the deadline and the results."""

    def __init__(self, order: Order) -> None:
        body = order.body.encode()
        head = f"{order.method} {order.path} HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\n"
        if order.api_key:
            head += f"Authorization: Bearer {order.api_key}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self._head, self._body = head.encode(), b"\r\n" + body
        self._keys = secrets.token_hex(8).encode()
        self._numbered = bool(body)
        self._asked = 0
        self.deadline = time.perf_counter() + order.seconds
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []

    def request(self) -> bytes:
        """Return the next request; what creates something has a key of its own."""
        if not self._numbered:
            return self._head + self._body
        self._asked += 1
        return b"%bIdempotency-Key: %b-%d\r\n%b" % (
            self._head, self._keys, self._asked, self._body,
        )  # fmt: skip


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load, ended: asyncio.Future[None]) -> None:
        self._load = load
        self._ended = ended
        self._received = b""
        self._began = 0.0
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end)
        if length is None:
            raise ValueError("an answer without a length")
        if len(self._received) < end + 4 + int(length[1]):
            return
        now = time.perf_counter()
        self._load.seconds.append(now - self._began)
        self._load.statuses[self._received[_STATUS].decode()] += 1
        self._received = b""
        if now < self._load.deadline:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._ended.done():
            return
        if error is not None:
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._load.request())


async def put(order: Order) -> Outcome:
    """Put the load on the server and return what came back."""
    loop = asyncio.get_running_loop()
    began, cpu = time.perf_counter(), time.process_time()
    load = _Load(order)
    ended = [loop.create_future() for _ in range(order.connections)]
    for future in ended:
        await loop.create_connection(partial(_Connection, load, future), "127.0.0.1", order.port)
    async with asyncio.timeout(order.seconds + LAST_ANSWERS_SECONDS):
        await asyncio.gather(*ended)
    return Outcome(
        answers=dict(load.statuses),
        seconds=time.perf_counter() - began,
        p50_ms=percentile_ms(load.seconds, 50),
        p95_ms=percentile_ms(load.seconds, 95),
        p99_ms=percentile_ms(load.seconds, 99),
        cpu_seconds=time.process_time() - cpu,
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(put(Order(**json.loads(sys.argv[1]))))
    sys.stdout.write(json.dumps(attrs.asdict(outcome)))
