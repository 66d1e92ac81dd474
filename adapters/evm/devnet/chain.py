"""The chain itself: blocks on disk, looked up, sealed and rewound."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import attrs
import rlp  # type: ignore[import-untyped]  # It ships no types.
from eth.abc import BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI
from eth.db.atomic import AtomicDB
from eth.db.schema import SchemaV1
from eth.exceptions import HeaderNotFound, TransactionNotFound
from eth.rlp.sedes import chain_gaps
from eth_keys.datatypes import PrivateKey
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.exceptions import ValidationError

from adapters.evm.devnet.accounts import DEVNET_BALANCE_WEI, devnet_accounts
from adapters.evm.devnet.rules import FORKS, GAS_LIMIT, NEWEST, OLDEST, chain_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eth.abc import StateAPI, TransactionBuilderAPI, VirtualMachineAPI
    from eth.chains.base import MiningChain
    from eth.typing import AccountState, HeaderParams

    from adapters.evm.devnet.store import SqliteStore

CACHED_HEADERS = 10_000
CACHED_BLOCKS = 512

_HEAD = SchemaV1.make_canonical_head_hash_lookup_key()
_CHAIN_ID = b"devnet:chain-id"
_FORK = b"devnet:fork"


class WrongChain(Exception):
    """The database belongs to a chain with another id."""

    def __init__(self, *, stored: int, wanted: int) -> None:
        super().__init__(f"the database holds chain {stored}, not {wanted}")
        self.stored = stored
        self.wanted = wanted


class UnknownFork(Exception):
    """The database belongs to a chain with rules that this node does not know."""

    def __init__(self, fork: str) -> None:
        super().__init__(f"the database holds a chain with the rules of {fork}")
        self.fork = fork


@attrs.frozen(kw_only=True, eq=False)
class SealedBlock:
    """A mined block with all it holds; a transaction and its receipt have the same index."""

    header: BlockHeaderAPI
    transactions: tuple[SignedTransactionAPI, ...]
    receipts: tuple[ReceiptAPI, ...]

    def gas_used(self, index: int) -> int:
        """Gas of one transaction; receipts hold running totals."""
        before = self.receipts[index - 1].gas_used if index else 0
        return self.receipts[index].gas_used - before

    def first_log_index(self, index: int) -> int:
        """Position in the block of the first log of transaction `index`."""
        return sum(len(receipt.logs) for receipt in self.receipts[:index])


class DevnetChain:
    """The canonical chain in a store. Nothing is durable before the store's commit."""

    def __init__(self, store: SqliteStore, *, chain_id: int, now: int) -> None:
        """Resume the chain in the store, or start one at genesis.

        Args:
            store: Where the chain lives.
            chain_id: EIP-155 chain id.
            now: Timestamp of a new genesis block, in Unix seconds.

        Raises:
            WrongChain: The store holds a chain with another id.
            UnknownFork: It holds one that a newer node has begun.
        """
        self.chain_id: Final = chain_id
        self._store: Final = store
        self._rules: Final = self._resume() if _HEAD in store else self._begin(now)
        self._headers: dict[bytes, BlockHeaderAPI] = {}
        self._blocks: dict[bytes, SealedBlock] = {}

    def _resume(self) -> MiningChain:
        stored = int.from_bytes(self._store[_CHAIN_ID], "big")
        if stored != self.chain_id:
            raise WrongChain(stored=stored, wanted=self.chain_id)
        fork = self._store[_FORK].decode() if _FORK in self._store else OLDEST
        if fork not in FORKS:
            raise UnknownFork(fork)
        return chain_class(stored, fork=fork)(AtomicDB(self._store))

    def _begin(self, now: int) -> MiningChain:
        genesis: dict[str, HeaderParams] = {
            "difficulty": 0,
            "gas_limit": GAS_LIMIT,
            "timestamp": now,
        }
        rules = chain_class(self.chain_id, fork=NEWEST)
        database = AtomicDB(self._store)
        rules.from_genesis(database, genesis, _funded_accounts())
        self._store[_CHAIN_ID] = self.chain_id.to_bytes(32, "big")
        self._store[_FORK] = NEWEST.encode()
        self._store.commit()
        return rules(database)

    @property
    def transactions(self) -> type[TransactionBuilderAPI]:
        """What reads the transactions that this chain takes, and makes others."""
        return self._rules.get_vm_class_for_block_number(BlockNumber(0)).get_transaction_builder()

    @property
    def head(self) -> BlockHeaderAPI:
        """Header of the newest block."""
        return self.header_by_hash(self._store[_HEAD])

    def hash_at(self, number: int) -> Hash32 | None:
        """Return the hash of the canonical block at a height, None above the head."""
        try:
            return self._rules.get_canonical_block_hash(BlockNumber(number))
        except HeaderNotFound:
            return None

    def header_by_hash(self, block_hash: bytes) -> BlockHeaderAPI:
        """Return the header of a stored block.

        Raises:
            HeaderNotFound: No such block was ever mined here.
        """
        header = self._headers.get(block_hash)
        if header is None:
            header = self._rules.get_block_header_by_hash(Hash32(block_hash))
            if len(self._headers) >= CACHED_HEADERS:
                self._headers.clear()
            self._headers[block_hash] = header
        return header

    def canonical_header(self, block_hash: bytes) -> BlockHeaderAPI | None:
        """Return the header of a block of the canonical chain, None for any other hash."""
        try:
            header = self.header_by_hash(block_hash)
        except HeaderNotFound:
            return None
        return header if self.hash_at(header.block_number) == block_hash else None

    def block(self, header: BlockHeaderAPI) -> SealedBlock:
        """Return the transactions and receipts that belong to a header."""
        sealed = self._blocks.get(header.hash)
        if sealed is None:
            contents = self._rules.get_block_by_header(header)
            sealed = SealedBlock(
                header=header,
                transactions=tuple(contents.transactions),
                receipts=tuple(contents.get_receipts(self._rules.chaindb)),
            )
            self._remember(sealed)
        return sealed

    def transaction_position(self, transaction_hash: bytes) -> tuple[BlockHeaderAPI, int] | None:
        """Return the block and index a transaction was mined at, None if it was not."""
        try:
            number, index = self._rules.get_canonical_transaction_index(Hash32(transaction_hash))
        except TransactionNotFound:
            return None
        return self._rules.get_canonical_block_header_by_number(number), index

    def state(self, header: BlockHeaderAPI) -> StateAPI:
        """Return the accounts as they were after a block; writes to it are not kept."""
        return self.vm(header).state

    def vm(self, header: BlockHeaderAPI) -> VirtualMachineAPI:
        """Return a virtual machine in the context of a block."""
        return self._rules.get_vm(header)

    def next_header(self, *, timestamp: int) -> BlockHeaderAPI:
        """Return an empty header on top of the head.

        Its ``mixHash`` (prevrandao) is random, so a block mined again after a reorg has another
        hash although it holds the same transactions.
        """
        return self._rules.create_header_from_parent(
            self.head, timestamp=timestamp, gas_limit=GAS_LIMIT, mix_hash=os.urandom(32)
        )

    def seal(
        self, candidates: Sequence[SignedTransactionAPI], *, timestamp: int
    ) -> tuple[SealedBlock, list[SignedTransactionAPI]]:
        """Mine one block on the head.

        Args:
            candidates: Transactions in the order they run in.
            timestamp: Unix seconds, not before the head's.

        Returns:
            The block, and the candidates whose sender cannot pay or whose nonce does not fit.
            Candidates that do not fit into the block's gas are in neither.

        Raises:
            eth_utils.ValidationError: The timestamp is before the head's.
        """
        header = self.next_header(timestamp=timestamp)
        vm = self.vm(header)
        base = vm.get_block()
        header = base.header
        mined: list[SignedTransactionAPI] = []
        receipts: list[ReceiptAPI] = []
        invalid: list[SignedTransactionAPI] = []
        for transaction in candidates:
            if header.gas_used + transaction.gas > header.gas_limit:
                continue
            try:
                receipt, _ = vm.apply_transaction(header, transaction)
            except ValidationError:
                invalid.append(transaction)
                continue
            header = vm.add_receipt_to_header(header, receipt)
            mined.append(transaction)
            receipts.append(receipt)
        filled = vm.set_block_transactions_and_withdrawals(base, header, mined, receipts)
        block = vm.mine_block(filled).block
        self._rules.chaindb.persist_block(block)
        sealed = SealedBlock(
            header=block.header, transactions=tuple(mined), receipts=tuple(receipts)
        )
        self._headers[block.header.hash] = block.header
        self._remember(sealed)
        return sealed, invalid

    def rewind(self, number: int) -> None:
        """Make the block at a height the head again and forget those above it.

        py-evm follows the heaviest chain and cannot step back by itself, so the look-ups of the
        dropped blocks are removed here; their headers and states stay, unreachable.
        """
        chaindb = self._rules.chaindb
        for height in range(number + 1, self.head.block_number + 1):
            dropped = BlockNumber(height)
            header = self._rules.get_canonical_block_header_by_number(dropped)
            for transaction_hash in chaindb.get_block_transaction_hashes(header):
                key = SchemaV1.make_transaction_hash_to_block_lookup_key(transaction_hash)
                self._store.delete(key)
            self._store.delete(SchemaV1.make_block_number_to_hash_lookup_key(dropped))
        no_gaps = rlp.encode(((), number + 1), sedes=chain_gaps)
        self._store[SchemaV1.make_header_chain_gaps_lookup_key()] = no_gaps
        self._store[SchemaV1.make_chain_gaps_lookup_key()] = no_gaps
        self._store[_HEAD] = self._rules.get_canonical_block_hash(BlockNumber(number))

    def _remember(self, sealed: SealedBlock) -> None:
        if len(self._blocks) >= CACHED_BLOCKS:
            self._blocks.clear()
        self._blocks[sealed.header.hash] = sealed


def _funded_accounts() -> AccountState:
    return {
        Address(PrivateKey(account.private_key).public_key.to_canonical_address()): {
            "balance": DEVNET_BALANCE_WEI,
            "nonce": 0,
            "code": b"",
            "storage": {},
        }
        for account in devnet_accounts()
    }
