"""The node: a chain, a pool and a clock, changed in steps that are durable or did not happen."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

import attrs
import rlp  # type: ignore[import-untyped]  # It ships no types.
from eth.abc import SignedTransactionAPI
from eth.exceptions import UnrecognizedTransactionType
from eth_utils.exceptions import ValidationError

from adapters.evm.devnet.chain import DevnetChain
from adapters.evm.devnet.clock import ChainClock
from adapters.evm.devnet.pool import TransactionPool, TransactionRefused, admit
from adapters.evm.devnet.rules import GAS_LIMIT
from adapters.evm.devnet.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eth.abc import BlockHeaderAPI, TransactionBuilderAPI
    from eth_typing import Address

    from adapters.evm.devnet.settings import DevnetSettings

MAX_BLOCKS_AT_ONCE = 1_000
MAX_SNAPSHOTS = 1_000

_CLOCK = b"devnet:clock-offset"
_POOL = b"devnet:pool"


class NotThatDeep(Exception):
    """A reorganization cannot replace the genesis block, nor no block at all."""

    def __init__(self, *, depth: int, height: int) -> None:
        super().__init__(f"cannot replace {depth} of {height} blocks")
        self.depth = depth
        self.height = height


@attrs.frozen(kw_only=True)
class _Snapshot:
    """What `DevnetNode.revert` brings back."""

    number: int
    block_hash: bytes
    clock_offset: int
    pool: tuple[SignedTransactionAPI, ...]


class DevnetNode:
    """One node. It is not thread-safe: its owner runs one call at a time."""

    def __init__(self, settings: DevnetSettings) -> None:
        """Open the node's database, or make it.

        Raises:
            DatabaseInUse: Another node has it open.
            WrongChain: It holds a chain with another id.
            UnknownFork: It holds one that a newer node has begun.
        """
        self.settings: Final = settings
        self.automine = True
        self._store: Final = SqliteStore(settings.database)
        try:
            self.chain: Final = DevnetChain(
                self._store, chain_id=settings.chain_id, now=int(time.time())
            )
        except BaseException:
            self._store.close()
            raise
        self.clock: Final = ChainClock()
        self.pool: Final = TransactionPool()
        self._snapshots: dict[int, _Snapshot] = {}
        self._snapshot_count = 0
        self._load()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; everything answered is in it already."""
        self._store.close()

    @property
    def safe_number(self) -> int:
        """Height of the ``safe`` block."""
        return max(self.chain.head.block_number - self.settings.safe_depth, 0)

    @property
    def finalized_number(self) -> int:
        """Height of the ``finalized`` block."""
        return max(self.chain.head.block_number - self.settings.finalized_depth, 0)

    def next_base_fee(self) -> int:
        """Return the base fee of the block after the head, in wei."""
        head = self.chain.head
        return self.chain.next_header(timestamp=head.timestamp).base_fee_per_gas or 0

    def send(self, raw: bytes) -> bytes:
        """Take a signed transaction, mine it if it is its turn, and return its hash.

        Raises:
            TransactionRefused: It is no transaction of this chain, or cannot be mined.
        """
        transaction = _decode(raw, self.chain.transactions)
        transaction_hash: bytes = transaction.hash
        known = self.pool.find(transaction_hash) is not None
        if known or self.chain.transaction_position(transaction_hash) is not None:
            raise TransactionRefused("already known")
        state = self.chain.state(self.chain.head)
        admit(transaction, state=state, chain_id=self.chain.chain_id, gas_limit=GAS_LIMIT)
        with self._step():
            self.pool.add(transaction)
            if self.automine and (ready := self._ready()):
                self._seal(ready)
        return transaction_hash

    def mine(self, *, blocks: int = 1) -> None:
        """Mine blocks; the first ones take what waits in the pool.

        Raises:
            ValueError: Not between 1 and 1,000 blocks.
        """
        if not 1 <= blocks <= MAX_BLOCKS_AT_ONCE:
            raise ValueError(f"between 1 and {MAX_BLOCKS_AT_ONCE} blocks, not {blocks}")
        with self._step():
            for _ in range(blocks):
                self._seal(self._ready())

    def reorg(self, *, depth: int) -> None:
        """Replace the newest blocks by as many empty ones; their transactions are gone.

        Raises:
            NotThatDeep: The chain has no `depth` blocks above genesis.
        """
        height = self.chain.head.block_number
        if not 1 <= depth <= min(height, MAX_BLOCKS_AT_ONCE):
            raise NotThatDeep(depth=depth, height=height)
        with self._step():
            self.chain.rewind(height - depth)
            for _ in range(depth):
                self.chain.seal([], timestamp=self._timestamp())

    def increase_time(self, *, seconds: int) -> int:
        """Move the clock of the next blocks forward; return the whole offset in seconds.

        Raises:
            ValueError: A negative number of seconds.
        """
        if seconds < 0:
            raise ValueError("time runs forward")
        with self._step():
            return self.clock.increase(seconds)

    def set_next_timestamp(self, timestamp: int) -> None:
        """Give the next block a time in Unix seconds.

        Raises:
            TimestampInThePast: It is before the head's.
        """
        with self._step():
            self.clock.set_next(timestamp, head=self.chain.head.timestamp)

    def snapshot(self) -> int:
        """Remember the chain as it is, until the process ends; return a number for `revert`."""
        head = self.chain.head
        self._snapshot_count += 1
        self._snapshots[self._snapshot_count] = _Snapshot(
            number=head.block_number,
            block_hash=head.hash,
            clock_offset=self.clock.offset,
            pool=self.pool.transactions(),
        )
        self._snapshots.pop(self._snapshot_count - MAX_SNAPSHOTS, None)
        return self._snapshot_count

    def revert(self, snapshot_id: int) -> bool:
        """Go back to a snapshot, which is used up with those after it.

        Returns:
            False if there is no such snapshot, or a reorg or an earlier revert dropped its block.
        """
        snapshot = self._snapshots.get(snapshot_id)
        if snapshot is None:
            return False
        self._snapshots = {n: one for n, one in self._snapshots.items() if n < snapshot_id}
        if self.chain.hash_at(snapshot.number) != snapshot.block_hash:
            return False
        with self._step():
            self.chain.rewind(snapshot.number)
            self.clock.offset = snapshot.clock_offset
            self.clock.tick()
            self.pool.replace_all(snapshot.pool)
        return True

    def _ready(self) -> list[SignedTransactionAPI]:
        if not len(self.pool):
            return []
        return self.pool.executable(
            mined_nonce=self._mined_nonce(self.chain.head), base_fee=self.next_base_fee()
        )

    def _seal(self, ready: list[SignedTransactionAPI]) -> None:
        sealed, invalid = self.chain.seal(ready, timestamp=self._timestamp())
        self.pool.remove([*sealed.transactions, *invalid])
        if len(self.pool):
            self.pool.remove_stale(self._mined_nonce(sealed.header))

    def _mined_nonce(self, header: BlockHeaderAPI) -> Callable[[Address], int]:
        return self.chain.state(header).get_nonce

    def _timestamp(self) -> int:
        timestamp = self.clock.next_timestamp(head=self.chain.head.timestamp)
        self.clock.tick()
        return timestamp

    @contextmanager
    def _step(self) -> Iterator[None]:
        """Make what happens inside durable as one, or as if it had never begun."""
        waiting = self.pool.transactions()
        clock = attrs.evolve(self.clock)
        try:
            yield
            self._stage()
            self._store.commit()
        except BaseException:
            self._store.rollback()
            self.pool.replace_all(waiting)
            self.clock.restore(clock)
            raise

    def _stage(self) -> None:
        """Stage the clock and the pool where they differ from what is stored."""
        raw = [one.encode() for one in self.pool.transactions()]
        offset = self.clock.offset
        for key, value in (
            (_CLOCK, offset.to_bytes(8, "big", signed=True)),
            (_POOL, rlp.encode(raw)),
        ):
            if key not in self._store or self._store[key] != value:
                self._store[key] = value

    def _load(self) -> None:
        if _CLOCK in self._store:
            self.clock.offset = int.from_bytes(self._store[_CLOCK], "big", signed=True)
            kinds = self.chain.transactions
            self.pool.replace_all(_decode(raw, kinds) for raw in rlp.decode(self._store[_POOL]))


def _decode(raw: bytes, kinds: type[TransactionBuilderAPI]) -> SignedTransactionAPI:
    try:
        return kinds.decode(raw)
    except UnrecognizedTransactionType as error:
        raise TransactionRefused("transaction type not supported") from error
    except (rlp.RLPException, ValidationError, ValueError, IndexError, TypeError) as error:
        raise TransactionRefused(f"rlp: cannot decode the transaction: {error}") from error
