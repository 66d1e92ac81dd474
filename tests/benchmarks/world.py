"""What benchmarks run on: a durable database, a chain and a merchant, made as for a demo.

Everything lies in one temporary directory and goes away with it.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import psycopg
import uvloop

from adapters.evm.devnet.devnet import Devnet
from adapters.postgres.embedded.layout import Layout
from config.bootstrap import operator
from config.demo.provisioning import provision
from config.demo.record import Demo, Directory, Ports
from config.demo.running import database, migrated, settings_of
from config.settings import structure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from config.bootstrap import OperatorServices
    from config.settings import Settings

_Result = TypeVar("_Result")


@attrs.frozen(kw_only=True)
class World:
    """A gateway's surroundings, running in this process and its children."""

    directory: Directory
    demo: Demo
    dsn: str
    url: str
    """Of the chain's node."""
    _devnet: Devnet | None = None

    @property
    def devnet(self) -> Devnet:
        """The chain's node, where it is ours and not one that was named."""
        assert self._devnet is not None
        return self._devnet

    def settings(self, *, port: int = 0, signs: bool = False) -> dict[str, object]:
        """Return the settings of one process, as a demo's processes get them, without limits."""
        settings = settings_of(
            self.demo,
            directory=self.directory,
            dsn=self.dsn,
            ports=Ports(api=port, devnet=0),
            brisk=False,
            signs=signs,
        )
        return {**settings, "limits": {"reads": UNLIMITED, "writes": UNLIMITED}}

    def structured(self, *, signs: bool = False) -> Settings:
        """Return the settings as services are built from them."""
        return structure(self.settings(signs=signs))

    def postmaster(self) -> int:
        """Return the process id of PostgreSQL: the first line of ``postmaster.pid``."""
        file = Layout(self.directory.postgres).data / "postmaster.pid"
        return int(file.read_text().splitlines()[0])

    def count(self, query: str) -> int:
        """Return the one number that a query of this package's own asks for."""
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(query.encode()).fetchone()
        return int(row[0]) if row and row[0] is not None else 0


UNLIMITED = 1_000_000
"""Requests in a window of ten seconds: more than a machine answers, and in blocks all the same."""


@attrs.frozen
class Bench:
    """How long each measurement takes, and what it runs on."""

    seconds: float
    quick: bool

    def world(self, *, url: str | None = None) -> AbstractContextManager[World]:
        """Return a new world, to be entered; nothing is in it but a merchant.

        ``url`` names a node to use in place of a devnet of our own.
        """
        return _running_world(url)


@contextmanager
def _running_world(url: str | None) -> Iterator[World]:
    root = Path(tempfile.mkdtemp(prefix="switchyard-bench-")).resolve()
    directory = Directory(root)
    try:
        directory.prepare()
        with database(directory) as server, nullcontext() if url else Devnet() as devnet:
            dsn = migrated(server)
            node = devnet.url if devnet else str(url)
            made = provision(directory, rpc_url=node, dsn=dsn, ports=Ports(api=0, devnet=0))
            demo = asyncio.run(made)
            yield World(directory=directory, demo=demo, dsn=dsn, url=node, devnet=devnet)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@asynccontextmanager
async def operating(world: World) -> AsyncIterator[OperatorServices]:
    """Open the services that operators' commands stand on."""
    services = operator(world.structured())
    async with opened(services.resources):
        yield services


@asynccontextmanager
async def opened(
    resources: Iterable[AbstractAsyncContextManager[object]],
) -> AsyncIterator[None]:
    """Open what services stand on, and close it at the end."""
    async with AsyncExitStack() as stack:
        for resource in resources:
            await stack.enter_async_context(resource)
        yield


def run(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run to the end on uvloop, which the API runs on as well."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)
