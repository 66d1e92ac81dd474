"""The demo's processes: started in order, watched, and stopped in the reverse order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import attrs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

READY_SECONDS = 60
STOP_SECONDS = 25


@attrs.frozen
class ProcessEnded(Exception):
    """A process of the demo has ended by itself. Its log says more."""

    name: str
    status: int
    log: Path


@attrs.frozen
class NotReady(Exception):
    """A process of the demo does not answer. Its log says more."""

    name: str
    log: Path


@attrs.frozen
class PortTaken(Exception):
    """Another program listens on this port of this machine: name another one."""

    port: int


@attrs.frozen
class Process:
    """One running process of the demo."""

    name: str
    log: Path
    child: asyncio.subprocess.Process

    async def ended(self) -> None:
        """Wait for the end that should not come.

        Raises:
            ProcessEnded: it has come.
        """
        raise ProcessEnded(self.name, await self.child.wait(), self.log)

    async def answers(self, url: str) -> None:
        """Wait until something answers at a URL.

        Raises:
            ProcessEnded: the process has ended instead.
            NotReady: nothing answers for too long.
        """
        async with aiohttp.ClientSession() as session:
            for _ in range(READY_SECONDS * 20):
                if self.child.returncode is not None:
                    raise ProcessEnded(self.name, self.child.returncode, self.log)
                with suppress(aiohttp.ClientError):
                    async with session.get(url) as response:
                        if response.ok:
                            return
                await asyncio.sleep(0.05)
        raise NotReady(self.name, self.log)

    async def makes(self, file: Path) -> None:
        """Wait until a file is there.

        Raises:
            ProcessEnded: the process has ended instead.
            NotReady: the file is not there for too long.
        """
        for _ in range(READY_SECONDS * 20):
            if await asyncio.to_thread(file.exists):
                return
            if self.child.returncode is not None:
                raise ProcessEnded(self.name, self.child.returncode, self.log)
            await asyncio.sleep(0.05)
        raise NotReady(self.name, self.log)


@asynccontextmanager
async def running(name: str, *arguments: str, log: Path) -> AsyncIterator[Process]:
    """Run ``switchyard`` with arguments; stop it at the end.

    The child is in a session of its own, so that Ctrl-C reaches only the demo, which stops its
    processes in order; and it stops by itself when the pipe to its standard input closes.
    """
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "entrypoints.cli.main",
            *arguments,
            "--stop-with-parent",
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"},
        )
    try:
        yield Process(name, log, child)
    finally:
        await _stop(child)


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    child.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(child.wait(), STOP_SECONDS)
    except TimeoutError:
        child.kill()
        await child.wait()


def free(port: int) -> int:
    """Return the port, or one that nobody listens on in place of 0.

    It is looked at before a process is started: what already listens there would answer in its
    place.

    Raises:
        PortTaken: another program listens on it.
    """
    try:
        with socket.create_server(("127.0.0.1", port)) as listener:
            found: int = listener.getsockname()[1]
    except OSError as error:
        raise PortTaken(port) from error
    return found
