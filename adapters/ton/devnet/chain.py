"""The chain itself: accounts, messages on their way, and blocks; no network."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import attrs
from pytoniq_core import Account, Address, BlockIdExt, HashMap, begin_cell

from adapters.ton.devnet.blocks import (
    BASECHAIN,
    MASTERCHAIN,
    MinedTransaction,
    account_key,
    before_genesis,
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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytoniq_core import Builder, Cell

    from adapters.ton.devnet.blocks import MinedBlock
    from adapters.ton.devnet.hashmaps import Edge

FIRST_LT = 1_000_000
"""Where logical time begins: above what the first blocks take."""

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

    Attributes:
        config: The configuration (TL-B ``Hashmap 32 ^Cell``).
        libraries: Cells that code may refer to by their hashes.
        masterchain: Its blocks.
        basechain: Its blocks.

    Raises:
        EmulatorMissing: There is no TVM here.
    """

    def __init__(
        self,
        *,
        now: Callable[[], int],
        parameters: ChainParameters | None = None,
        blocks_kept: int = BLOCKS_KEPT,
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
        self._append([], at=now())

    def close(self) -> None:
        """Free what the emulator holds; nothing is executed any more."""
        self._emulator.close()

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
        self._internal.append(
            gift(address=address, amount=amount, body=body, lt=self._lt, at=self.now())
        )

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
        head = self.head
        shard = basechain_block(
            previous=self.basechain.newest or before_genesis(BASECHAIN),
            masterchain=head,
            transactions=transactions,
            accounts=self._accounts,
            at=at,
        )
        block = masterchain_block(previous=head, shard=shard, config=self.config, at=at)
        self.basechain.append(shard)
        self.masterchain.append(block)
        for transaction in transactions:
            placed = PlacedTransaction(
                transaction=transaction, block=shard.id, masterchain_seqno=block.id.seqno
            )
            self._history.setdefault(transaction.account, []).append(placed)
        self._lt = max(self._lt, shard.end_lt + 1)
        return block

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
            seed=secrets.token_bytes(32),
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
