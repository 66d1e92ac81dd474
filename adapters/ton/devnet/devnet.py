"""A TON chain in a box, served by liteservers of this process, with verbs for tests and demos."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from typing import TYPE_CHECKING, Any, Final, Self

from pytoniq_core import Address, Cell, begin_cell

from adapters.ton.devnet.chain import BLOCKS_KEPT, Chain
from adapters.ton.devnet.clock import ChainClock
from adapters.ton.devnet.liteserver import Liteserver
from adapters.ton.devnet.store import ChainStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytoniq_core import BlockIdExt

    from adapters.ton.devnet.parameters import ChainParameters

BLOCK_SECONDS = 0.1
BLOCKS_MAX = 100
KEY_BYTES = 32
AHEAD = "ahead_seconds"
"""The setting that says how far the chain's time is ahead."""


class TonDevnet:
    """A chain and its liteservers between `start` and `stop`; of one event loop.

    Without a database nothing outlives it. With one it goes on where it was, however it ended: a
    block that anybody has seen is the same, and a message that was accepted still arrives.

    Args:
        database: The file that keeps the chain, made if there is none.
        block_seconds: Seconds between blocks when a message waits; 0 mines on demand only.
        idle_seconds: Seconds between blocks when none does, the same by default. Clients wait ten
            seconds for a block before they think a liteserver dead; some wait three.
        liteservers: How many there are, each with a port of its own.
        port: That of the first liteserver, those of others follow; 0 takes free ones.
        endowed: Nanotons that a new chain begins with, by accounts.
        clock: Unix time, seconds. Give ``lambda: 1_800_000_000`` for a time that moves only by
            `advance`.
        parameters: Prices and limits; those of the mainnet if None.
        blocks_kept: How many of the newest blocks can be asked for; each takes some 35 kB. A
            liteserver answers for older ones that it does not have them (error 651).

    Raises:
        EmulatorMissing: There is no TVM for this interpreter and machine.
        DevnetRunning: Another devnet has the database open.
        ChainUnreadable: The database is no chain, or one that this program cannot go on with.
    """

    def __init__(
        self,
        *,
        database: Path | None = None,
        block_seconds: float = BLOCK_SECONDS,
        idle_seconds: float | None = None,
        liteservers: int = 1,
        port: int = 0,
        endowed: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.time,
        parameters: ChainParameters | None = None,
        blocks_kept: int = BLOCKS_KEPT,
    ) -> None:
        store = self._store = ChainStore(database) if database is not None else None
        ahead = int(store.setting(AHEAD, b"0")) if store else 0
        self._clock: Final = ChainClock(clock, ahead_seconds=ahead)
        try:
            self._chain: Final = Chain(
                now=self._clock.now,
                parameters=parameters,
                blocks_kept=blocks_kept,
                endowed=endowed,
                store=store,
            )
        except BaseException:
            if store is not None:
                store.close()
            raise
        self._block_seconds: Final = block_seconds
        self._idle_seconds: Final = block_seconds if idle_seconds is None else idle_seconds
        self._ports: Final = [port and port + place for place in range(liteservers)]
        self._miner: asyncio.Task[None] | None = None
        self._liteservers: tuple[Liteserver, ...] = ()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def chain(self) -> Chain:
        """The chain behind the liteservers."""
        return self._chain

    @property
    def liteservers(self) -> tuple[Liteserver, ...]:
        """The liteservers, in the order of `config`; each has `faults` to set."""
        return self._liteservers

    @property
    def head(self) -> BlockIdExt:
        """The newest block of the masterchain."""
        return self._chain.head.id

    @property
    def now(self) -> int:
        """The chain's Unix time, seconds."""
        return self._clock.now()

    async def start(self) -> None:
        """Listen, and begin to mine.

        Raises:
            OSError: Another program listens on a port; the devnet is stopped.
        """
        self._liteservers = tuple(
            Liteserver(self._chain, key_seed=self._key_seed(place), port=port)
            for place, port in enumerate(self._ports)
        )
        try:
            for each in self._liteservers:
                await each.start()
        except BaseException:
            await self.stop()
            raise
        if self._block_seconds:
            self._miner = asyncio.create_task(self._mine_at_intervals(), name="ton-devnet-miner")

    async def stop(self) -> None:
        """Hang up on clients and close the chain."""
        ended: tuple[BaseException | None, ...] = ()
        if self._miner is not None:
            self._miner.cancel()
            ended = await asyncio.gather(self._miner, return_exceptions=True)
        for each in self._liteservers:
            await each.stop()
        self._chain.close()
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome  # Nobody was told yet that no block has been mined since.

    async def until(self, stop: asyncio.Event) -> None:
        """Wait until an event is set, or no block can be mined any more; `stop` raises why."""
        waits = [asyncio.ensure_future(stop.wait()), *([self._miner] if self._miner else ())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waits[0].cancel()

    def config(self) -> dict[str, Any]:
        """Return a global configuration, as ``ton.org/global-config.json`` is one."""
        first = self._chain.masterchain.oldest or self._chain.head
        return {
            "liteservers": [each.entry() for each in self._liteservers],
            "validator": {
                "init_block": {
                    "workchain": first.id.workchain,
                    "shard": first.id.shard,
                    "seqno": first.id.seqno,
                    "root_hash": base64.b64encode(first.id.root_hash).decode(),
                    "file_hash": base64.b64encode(first.id.file_hash).decode(),
                }
            },
        }

    def give(self, *, address: Address | str, amount: int, comment: str = "") -> None:
        """Send nanotons out of nothing; they arrive with the next block and never bounce."""
        body = begin_cell()
        if comment:
            body.store_uint(0, 32).store_snake_string(comment)
        self._chain.give(address=Address(address), amount=amount, body=body.end_cell())

    def send(self, *, message: bytes) -> None:
        """Let an external message (a bag of cells) be executed in the next block.

        Raises:
            NotExecuted: The account does not accept it as things stand.
        """
        cell = Cell.one_from_boc(message)
        self._chain.try_out(cell)
        self._chain.send(cell)

    def publish(self, *, library: Cell) -> None:
        """Make a cell known as a library that code may refer to by its hash."""
        self._chain.publish(library)

    def mine(self, *, blocks: int = 1) -> None:
        """Mine blocks now."""
        for _ in range(blocks):
            self._chain.mine()
        for each in self._liteservers:
            each.notice()

    def mine_all(self, *, blocks_max: int = BLOCKS_MAX) -> None:
        """Mine until no message is on its way.

        Raises:
            TimeoutError: Contracts still send each other messages after so many blocks.
        """
        for _ in range(blocks_max):
            if self._chain.quiet:
                return
            self.mine()
        raise TimeoutError(f"messages are on their way after {blocks_max} blocks")

    def advance(self, *, seconds: int) -> None:
        """Move the chain's time forward and mine a block at the new time."""
        self._clock.advance(seconds=seconds)
        if self._store is not None:
            self._store.set(AHEAD, str(self._clock.ahead_seconds).encode())
        self.mine()

    async def _mine_at_intervals(self) -> None:
        loop = asyncio.get_running_loop()
        mined_at = loop.time()
        while True:
            await asyncio.sleep(self._block_seconds)
            # Half a beat early is nearer to the time than half a beat late.
            idle_for = loop.time() - mined_at + self._block_seconds / 2
            if not self._chain.quiet or idle_for >= self._idle_seconds:
                mined_at = loop.time()
                self.mine()

    def _key_seed(self, place: int) -> bytes:
        """Return the seed of a liteserver's key, the same each time that a chain is opened."""
        seed = secrets.token_bytes(KEY_BYTES)
        return self._store.setting(f"key {place}", seed) if self._store is not None else seed
