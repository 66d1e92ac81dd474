"""The chain itself: accounts, messages on their way, and blocks; no network.

With a store, nothing can be asked of the chain that is not on disk.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import attrs
from pytoniq_core import Account, Address, BlockIdExt, Cell, HashMap, begin_cell

from adapters.ton.devnet.blocks import (
    BASECHAIN,
    MASTERCHAIN,
    MinedTransaction,
    account_key,
    before_genesis,
    block_id,
)
from adapters.ton.devnet.emulator import Emulator, MethodResult, NotExecuted
from adapters.ton.devnet.hashmaps import inserted, store_depth_balance
from adapters.ton.devnet.history import BlockHistory
from adapters.ton.devnet.messages import (
    balance_of,
    destination,
    gift,
    is_external,
    read_transaction,
)
from adapters.ton.devnet.mining import basechain_block, masterchain_block
from adapters.ton.devnet.parameters import ChainParameters
from adapters.ton.devnet.restored import RestoredBlocks, restored
from adapters.ton.devnet.store import ChainUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytoniq_core import Builder

    from adapters.ton.devnet.blocks import MinedBlock
    from adapters.ton.devnet.hashmaps import Edge
    from adapters.ton.devnet.store import ChainStore

FIRST_LT = 1_000_000
"""Where logical time begins: above what the first blocks take."""

SEED_BYTES = 32
MESSAGES_IN_BLOCK_MAX = 10_000
BLOCKS_KEPT = 4_000
"""Some 140 MB to 280 MB of blocks, and seven minutes at least of ten blocks a second."""

NO_CONTRACT = -256
"""What a liteserver answers as exit code of a get-method of an account without code."""

NO_ACCOUNT = (
    begin_cell()
    .store_ref(begin_cell().store_bit_int(0).end_cell())
    .store_bytes(bytes(32))
    .store_uint(0, 64)
    .end_cell()
)
"""TL-B ``ShardAccount`` of an account that never was."""


@attrs.frozen(kw_only=True, eq=False)
class PlacedTransaction:
    """A transaction and the block it is in, which may be forgotten by now.

    Attributes:
        transaction: The transaction.
        block: The block's id.
        masterchain_seqno: The masterchain block that it is final with.
    """

    transaction: MinedTransaction
    block: BlockIdExt
    masterchain_seqno: int


class Chain:
    """One masterchain and one shard of the basechain, executed by the real TVM.

    A message that a transaction sends is executed in the next block, as between shards.

    Args:
        now: The Unix time, seconds.
        parameters: The chain's configuration.
        blocks_kept: How many of the newest blocks can be asked for; each takes some 35 kB.
        endowed: Nanotons that a new chain begins with, by accounts; they arrive with its second
            block.
        store: Where the chain is kept, and is found again; None if it ends with this object.

    Attributes:
        config: The configuration (TL-B ``Hashmap 32 ^Cell``).
        libraries: Cells that code may refer to by their hashes.
        masterchain: Its blocks.
        basechain: Its blocks.

    Raises:
        EmulatorMissing: There is no TVM here.
        ChainUnreadable: The store's chain has another configuration, or is not whole.
    """

    def __init__(
        self,
        *,
        now: Callable[[], int],
        parameters: ChainParameters | None = None,
        blocks_kept: int = BLOCKS_KEPT,
        endowed: Mapping[str, int] | None = None,
        store: ChainStore | None = None,
    ) -> None:
        self.config: Final = (parameters or ChainParameters()).stored()
        self.now: Final = now
        self.libraries: Final[dict[bytes, Cell]] = {}
        self._emulator: Final = Emulator(config=self.config)
        self._lt = FIRST_LT
        self._accounts: Edge | None = None
        self._external: dict[bytes, Cell] = {}
        self._internal: list[Cell] = []
        self._history: Final[dict[bytes, list[PlacedTransaction]]] = {}
        self.masterchain: Final = BlockHistory(kept=blocks_kept)
        self.basechain: Final = BlockHistory(kept=blocks_kept)
        self._kept: Final = RestoredBlocks(store, config=self.config) if store else None
        try:
            if self._kept is not None:
                self._restore(self._kept)
            if self.masterchain.newest is None:
                self._begin(endowed or {})
        except BaseException:
            self._emulator.close()
            raise

    def close(self) -> None:
        """Free what the emulator holds; nothing is executed any more."""
        self._emulator.close()
        if self._kept is not None:
            self._kept.store.close()

    @property
    def head(self) -> MinedBlock:
        """The newest block of the masterchain."""
        return self.masterchain.newest or before_genesis(MASTERCHAIN)

    @property
    def quiet(self) -> bool:
        """Whether no message waits for the next block."""
        return not self._external and not self._internal

    def block(self, root_hash: bytes) -> MinedBlock | None:
        """Return the block with a root hash."""
        return self.masterchain.by_hash(root_hash) or self.basechain.by_hash(root_hash)

    def blocks(self, workchain: int) -> BlockHistory | None:
        """Return the blocks of a workchain, None if there is no such."""
        return {MASTERCHAIN: self.masterchain, BASECHAIN: self.basechain}.get(workchain)

    def transactions(self, account: bytes) -> Sequence[PlacedTransaction]:
        """Return an account's transactions, oldest first."""
        return self._history.get(account, [])

    def publish(self, library: Cell) -> None:
        """Make a cell known as a library, as if a masterchain account had published it."""
        if self._kept is not None:
            self._kept.store.publish(library.to_boc())
        self._load_library(library)

    def _load_library(self, library: Cell) -> None:
        self.libraries[library.hash] = library

        def store(value: Cell, leaf: Builder) -> None:
            leaf.store_uint(0, 2).store_ref(value).store_bit_int(0)

        tree = HashMap(256, value_serializer=store)
        tree.map = {int.from_bytes(each, "big"): cell for each, cell in self.libraries.items()}
        known = tree.serialize()
        if known is not None:
            self._emulator.set_libraries(known)

    def give(self, *, address: Address, amount: int, body: Cell) -> None:
        """Send nanotons out of nothing; they arrive with the next block, never bounced."""
        message = gift(address=address, amount=amount, body=body, lt=self._lt, at=self.now())
        if self._kept is not None:
            self._kept.store.wait(message.to_boc())
        self._internal.append(message)

    def try_out(self, message: Cell) -> None:
        """Execute an external message on the newest state and forget what it did.

        Raises:
            NotExecuted: It would not be accepted.
        """
        address = destination(message)
        if address is None or address.wc != BASECHAIN:
            raise NotExecuted(reason="no account of the basechain", exit_code=None)
        self._execute(address, message, self._next_time())

    def send(self, message: Cell) -> None:
        """Let an external message be executed in the next block, once however often it is sent."""
        if self._kept is not None and message.hash not in self._external:
            self._kept.store.wait(message.to_boc())
        self._external[message.hash] = message

    def mine(self) -> MinedBlock:
        """Make the next block of both chains and return the masterchain's."""
        waiting = [*self._internal, *self._external.values()]
        taken, self._internal = waiting[:MESSAGES_IN_BLOCK_MAX], waiting[MESSAGES_IN_BLOCK_MAX:]
        self._external = {}
        at = self._next_time()
        done = [
            transaction
            for message in taken
            if (transaction := self._delivered(message, at)) is not None
        ]
        return self._append(done, at=at)

    def run(self, *, block: MinedBlock, account: bytes, method: int, stack: bytes) -> MethodResult:
        """Run a get-method on an account's state after a block of the basechain.

        Raises:
            NotExecuted: The stack cannot be parsed.
        """
        found = block.accounts.found(account_key(account)) if block.accounts else None
        state = Account.deserialize((found or NO_ACCOUNT).refs[0].begin_parse())
        if state is None or state.storage.state.type_ != "account_active":
            nothing = begin_cell().store_uint(0, 24).end_cell()
            return MethodResult(exit_code=NO_CONTRACT, stack=nothing.to_boc())
        contract = state.storage.state.state_init
        return self._emulator.run(
            address=Address((BASECHAIN, account)),
            code=contract.code,
            data=contract.data,
            balance=state.storage.balance.grams,
            at=block.at,
            method=method,
            stack=stack,
        )

    def _append(self, transactions: Sequence[MinedTransaction], *, at: int) -> MinedBlock:
        head, seed = self.head, secrets.token_bytes(SEED_BYTES)
        shard = basechain_block(
            previous=self.basechain.newest or before_genesis(BASECHAIN),
            masterchain=head,
            transactions=transactions,
            accounts=self._accounts,
            at=at,
            seed=seed,
        )
        block = masterchain_block(previous=head, shard=shard, config=self.config, at=at, seed=seed)
        if self._kept is not None:
            waiting = [*self._internal, *self._external.values()]
            block, transactions = self._kept.append(block, seed=seed, waiting=waiting)
        has_forgotten = self._show(block)
        for transaction in transactions:
            self._place(transaction, shard.id)
        if self._kept is not None and has_forgotten and self.masterchain.oldest is not None:
            self._kept.store.forget(before=self.masterchain.oldest.id.seqno)
        return block

    def _begin(self, endowed: Mapping[str, int]) -> None:
        at = self.now()
        self._internal = [
            gift(address=Address(to), amount=amount, body=Cell.empty(), lt=self._lt, at=at)
            for to, amount in endowed.items()
        ]
        self._append([], at=at)

    def _restore(self, kept: RestoredBlocks) -> None:
        store = kept.store
        if store.setting("config", self.config.hash) != self.config.hash:
            raise ChainUnreadable(store.path, "it has other parameters")
        for stored in store.blocks():
            self._show(kept.masterchain(stored))
        for each in store.executed():
            self._place(restored(each), block_id(BASECHAIN, each.seqno, each.shard_hash))
        for bag in store.waiting():
            message = Cell.one_from_boc(bag)
            if is_external(message):
                self._external[message.hash] = message
            else:
                self._internal.append(message)
        for bag in store.libraries():
            self._load_library(Cell.one_from_boc(bag))
        if self.masterchain.newest is not None and self.basechain.newest is not None:
            # Both are made again at once, so that it is seen whether they are what they were.
            kept.at_hand(self.masterchain.newest, self.basechain.newest)
            self._accounts = self.basechain.newest.accounts

    def _show(self, block: MinedBlock) -> bool:
        """Let a block and its shard be asked for; tell whether older ones were forgotten."""
        shard = block.shard or before_genesis(BASECHAIN)
        self._lt = max(self._lt, shard.end_lt + 1)
        self.basechain.append(shard)
        return self.masterchain.append(block)

    def _place(self, transaction: MinedTransaction, block: BlockIdExt) -> None:
        placed = PlacedTransaction(
            transaction=transaction, block=block, masterchain_seqno=block.seqno
        )
        self._history.setdefault(transaction.account, []).append(placed)

    def _next_time(self) -> int:
        """Return the time of the next block, which no clock turns back."""
        return max(self.now(), self.head.at)

    def _execute(self, address: Address, message: Cell, at: int) -> tuple[MinedTransaction, Cell]:
        account = address.hash_part
        before = self._accounts.found(account_key(account)) if self._accounts else None
        done = self._emulator.execute(
            account=before or NO_ACCOUNT,
            message=message,
            at=at,
            lt=self._lt,
            seed=secrets.token_bytes(SEED_BYTES),
        )
        return read_transaction(account, done.transaction), done.account

    def _delivered(self, message: Cell, at: int) -> MinedTransaction | None:
        """Execute a message; None where nothing came of it."""
        address = destination(message)
        if address is None or address.wc != BASECHAIN:
            return None  # It left the chain, or went to a workchain that has no accounts here.
        try:
            transaction, account = self._execute(address, message, at)
        except NotExecuted:
            if not is_external(message):
                raise
            return None  # It is not accepted any more, and leaves no trace.
        self._lt = transaction.end_lt
        self._internal.extend(transaction.messages)
        self._accounts = inserted(
            self._accounts,
            key=account_key(address.hash_part),
            value=account,
            total=balance_of(account),
            extra=store_depth_balance,
        )
        return transaction
