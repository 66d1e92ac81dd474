"""Processes beside this one: started, met, metered and stopped by their ids."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import attrs
import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READY_SECONDS = 30.0
STOP_SECONDS = 25.0
ANSWER_SECONDS = 60.0


@attrs.frozen
class NeverReady(Exception):
    """A server has ended, or did not answer in time; the end of its log says why."""

    name: str
    log: str


@attrs.frozen
class ErrandFailed(Exception):
    """A measuring process came to no result; what it wrote to its standard error says why."""

    module: str
    told: str


@contextmanager
def serving(*command: str, port: int, log: Path) -> Iterator[int]:
    """Run a module as a server until it is left; yield its process id once it is ready."""
    with running(*command, log=log) as child:
        if not _ready(child, port):
            raise NeverReady(command[0], log.read_text()[-2000:])
        yield child.pid


@contextmanager
def running(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module until it is left."""
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 (our own modules and interpreter; no shell)
            [sys.executable, "-m", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdin is not None:
            child.stdin.close()


def errand(module: str, order: object) -> Any:  # noqa: ANN401 (any JSON)
    """Run a module that takes an order as JSON and answers with JSON.

    Raises:
        ErrandFailed: it did not.
    """
    done = subprocess.run(  # noqa: S603 (our own modules and interpreter; no shell)
        [sys.executable, "-m", module, json.dumps(order)],
        capture_output=True,
        check=False,
        text=True,
        timeout=ANSWER_SECONDS,
    )
    if done.returncode:
        raise ErrandFailed(module, done.stderr[-2000:])
    return json.loads(done.stdout)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def cpu_seconds(pid: int | None) -> float:
    """Return what a process, its running children and its ended ones have spent so far."""
    if pid is None:
        return 0.0
    root = psutil.Process(pid)
    spent = root.cpu_times()
    total = spent.user + spent.system + spent.children_user + spent.children_system
    for child in root.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            total += times.user + times.system
    return float(total)


def _ready(child: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.client.OK:
                return True
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    return False
