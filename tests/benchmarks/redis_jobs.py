"""The reference: jobs that do nothing through Dramatiq's Redis broker, as its users run them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, Retries

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "SWITCHYARD_TEST_REDIS"
THREADS = 4
"""As many as a worker of ours has."""
PAUSE_SECONDS = 0.01
LIMIT_SECONDS = 60.0


@contextmanager
def redis_url() -> Iterator[str | None]:
    """Yield the URL of a Redis: the one that is named, one of our own, or None without a program.

    It is emptied, so it must be nobody else's.
    """
    program = shutil.which("redis-server")
    if VARIABLE in os.environ or program is None:
        yield os.environ.get(VARIABLE)
        return
    with socket.socket() as asking, tempfile.TemporaryDirectory() as directory:
        asking.bind(("127.0.0.1", 0))
        port = asking.getsockname()[1]
        asking.close()
        process = subprocess.Popen(  # noqa: S603 (a program we found)
            [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", directory],
            stdout=subprocess.DEVNULL,
        )
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(LIMIT_SECONDS)


def through_redis(
    url: str, seconds: float, waiting: int, single: int
) -> tuple[float, list[float]]:
    """Return jobs per second of many that wait, and the delays of single ones in seconds."""
    starts: list[float] = []
    broker = RedisBroker(url=url, middleware=[AsyncIO(), Retries()])  # type: ignore[no-untyped-call] # It has no types.
    _wait_until_up(broker)
    broker.flush_all()

    @dramatiq.actor(broker=broker)
    async def note() -> None:
        starts.append(time.perf_counter())

    delays = []
    with _working(broker):
        for _ in range(single):
            time.sleep(PAUSE_SECONDS)
            known, began = len(starts), time.perf_counter()
            note.send()
            _wait_for(starts, known + 1)
            delays.append(starts[known] - began)
    for _ in range(waiting):
        note.send()
    starts.clear()
    with _working(broker):
        _wait_for(starts, 1)
        while len(starts) < waiting and time.perf_counter() < starts[0] + seconds:
            time.sleep(PAUSE_SECONDS)
        drained = (len(starts) - 1) / (starts[-1] - starts[0])
    broker.flush_all()
    broker.close()
    return drained, delays


@contextmanager
def _working(broker: RedisBroker) -> Iterator[None]:
    worker = dramatiq.Worker(broker, worker_threads=THREADS, worker_timeout=100)
    worker.start()
    try:
        yield
    finally:
        worker.stop(timeout=int(LIMIT_SECONDS * 1000))


def _wait_until_up(broker: RedisBroker) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        try:
            broker.client.ping()
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _wait_for(starts: list[float], number: int) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while len(starts) < number:
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.0005)
