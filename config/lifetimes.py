"""How what a process stands on is opened and closed, all in the process's own event loop."""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.evm.node import EvmNode
    from adapters.postgres.storage import PostgresStorage
    from ports.sandbox import Sandbox

log = logging.getLogger(__name__)


@asynccontextmanager
async def storage_open(storage: PostgresStorage) -> AsyncIterator[None]:
    """Keep connections to the database.

    Raises:
        StorageUnavailable: it does not answer in time.
        SchemaOutdated: its schema is of another version of this program.
    """
    await storage.open()
    try:
        yield
    finally:
        await storage.close()


@asynccontextmanager
async def node_open(node: EvmNode) -> AsyncIterator[None]:
    """Check a node against the settings; one that is down is checked when it first answers.

    Raises:
        WrongChain, WrongDecimals, NoEscrowContract: the node is not what the settings say.
    """
    async with node:
        try:
            await node.open()
        except ChainUnavailable as error:
            log.warning("%s does not answer yet: %s", node.chain.chain, error)
        yield


@asynccontextmanager
async def sandbox_open(sandbox: Sandbox) -> AsyncIterator[None]:
    """Check that what the settings call a devnet is one; one that is down is checked later.

    Raises:
        WrongSandbox: it is not.
    """
    async with AsyncExitStack() as stack:
        if isinstance(sandbox, AbstractAsyncContextManager):
            await stack.enter_async_context(sandbox)
        try:
            await sandbox.check()
        except ChainUnavailable as error:
            log.warning("the devnet %s does not answer yet: %s", sandbox.chain, error)
        yield
