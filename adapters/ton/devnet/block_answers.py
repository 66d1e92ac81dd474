"""What a liteserver answers about blocks, time and configuration.

Queries and answers: ``tl/generate/scheme/lite_api.tl`` of github.com/ton-blockchain/ton.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from adapters.ton.devnet.blocks import MASTERCHAIN, NO_HASH
from adapters.ton.devnet.cells import bag_of_cells
from adapters.ton.devnet.proofs import config_proof, header_proof, transactions_proof
from adapters.ton.devnet.view import FAILED, NOT_READY
from adapters.ton.devnet.wire import QueryRefused, tl_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.ton.devnet.blocks import MinedBlock, MinedTransaction
    from adapters.ton.devnet.view import View
    from adapters.ton.devnet.wire import Reader

VERSION, CAPABILITIES = 0x101, 7
"""As liteservers have reported since 2020: they list blocks, look them up and wait for them."""

BY_SEQNO, BY_LT, BY_TIME = 1, 2, 4
"""Flags of `lookupBlock`."""

AFTER = 128
"""The flag of `listBlockTransactions` that goes on behind a transaction."""

IDS_IN_FULL = 0b111
"""The flags of a listed transaction that has its account, logical time and hash."""


class BlockAnswers:
    """Answers about blocks from what a liteserver has seen."""

    def __init__(self, view: View) -> None:
        self._view: Final = view

    def methods(self) -> Mapping[str, Callable[[Reader], bytes]]:
        """Return what answers which query, by the query's name."""
        return {
            "getMasterchainInfo": self._masterchain,
            "getMasterchainInfoExt": self._masterchain_extended,
            "getTime": self._time,
            "getVersion": self._version,
            "getBlock": self._block,
            "getState": self._state,
            "getBlockHeader": self._header,
            "lookupBlock": self._lookup,
            "getAllShardsInfo": self._shards,
            "getShardInfo": self._shard,
            "listBlockTransactions": self._listed,
            "listBlockTransactionsExt": self._listed_in_full,
            "getConfigAll": self._config,
            "getConfigParams": self._config,
        }

    def _masterchain(self, _: Reader) -> bytes:
        head = self._view.head
        return tl_answer(
            "masterchainInfo",
            last=head.id.to_dict(),
            state_root_hash=head.state.hash.hex(),
            init=_zero_state(),
        )

    def _masterchain_extended(self, _: Reader) -> bytes:
        head = self._view.head
        return tl_answer(
            "masterchainInfoExt",
            mode=0,
            version=VERSION,
            capabilities=CAPABILITIES,
            last=head.id.to_dict(),
            last_utime=head.at,
            now=self._view.chain.now(),
            state_root_hash=head.state.hash.hex(),
            init=_zero_state(),
        )

    def _time(self, _: Reader) -> bytes:
        return tl_answer("currentTime", now=self._view.chain.now())

    def _version(self, _: Reader) -> bytes:
        now = self._view.chain.now()
        return tl_answer("version", mode=0, version=VERSION, capabilities=CAPABILITIES, now=now)

    def _block(self, query: Reader) -> bytes:
        block = self._view.known(query)
        return tl_answer("blockData", id=block.id.to_dict(), data=bag_of_cells(block.root))

    def _state(self, query: Reader) -> bytes:
        block = self._view.known(query)
        state = bag_of_cells(block.state)
        return tl_answer(
            "blockState",
            id=block.id.to_dict(),
            root_hash=block.state.hash.hex(),
            file_hash=hashlib.sha256(state).hexdigest(),
            data=state,
        )

    def _header(self, query: Reader) -> bytes:
        return _header_of(self._view.known(query))

    def _lookup(self, query: Reader) -> bytes:
        mode, workchain, _, seqno = query.int32(), query.int32(), query.int64(), query.int32()
        blocks, block = self._view.chain.blocks(workchain), None
        if blocks is not None and mode & BY_SEQNO:
            block = blocks.at(seqno)
        elif blocks is not None and mode & BY_LT:
            block = blocks.with_lt(query.int64())
        elif blocks is not None and mode & BY_TIME:
            block = blocks.by(query.int32() % (1 << 32))
        if block is None or not self._view.seen(block):
            raise QueryRefused(code=NOT_READY, reason="block is not found")
        return _header_of(block)

    def _shards(self, query: Reader) -> bytes:
        block = self._view.known(query)
        if block.shard_hashes is None:
            raise QueryRefused(code=FAILED, reason="not a block of the masterchain")
        return tl_answer(
            "allShardsInfo",
            id=block.id.to_dict(),
            proof=self._view.shard_proof(block),
            data=bag_of_cells(block.shard_hashes),
        )

    def _shard(self, query: Reader) -> bytes:
        block = self._view.known(query)
        shard = block.shard or block
        if block.shard_hashes is None:
            raise QueryRefused(code=FAILED, reason="not a block of the masterchain")
        leaf = block.shard_hashes.refs[0].refs[0]
        return tl_answer(
            "shardInfo",
            id=block.id.to_dict(),
            shardblk=shard.id.to_dict(),
            shard_proof=self._view.shard_proof(block),
            shard_descr=bag_of_cells(leaf),
        )

    def _listed(self, query: Reader) -> bytes:
        block, count, page, more = self._page(query)
        ids = [
            {
                "mode": IDS_IN_FULL,
                "account": each.account.hex(),
                "lt": each.lt,
                "hash": each.cell.hash.hex(),
            }
            for each in page
        ]
        return tl_answer(
            "blockTransactions",
            id=block.id.to_dict(),
            req_count=count,
            incomplete=more,
            ids=ids,
            proof=transactions_proof(block),
        )

    def _listed_in_full(self, query: Reader) -> bytes:
        block, count, page, more = self._page(query)
        return tl_answer(
            "blockTransactionsExt",
            id=block.id.to_dict(),
            req_count=count,
            incomplete=more,
            transactions=bag_of_cells(*(each.cell for each in page)) if page else b"",
            proof=transactions_proof(block),
        )

    def _config(self, query: Reader) -> bytes:
        query.int32()
        block = self._view.known(query)
        return tl_answer(
            "configInfo",
            mode=0,
            id=block.id.to_dict(),
            state_proof=bag_of_cells(header_proof(block)),
            config_proof=config_proof(block),
        )

    def _page(self, query: Reader) -> tuple[MinedBlock, int, list[MinedTransaction], bool]:
        """Return a block, how many were asked for, those, and whether there are more."""
        block = self._view.known(query)
        mode, count = query.int32(), query.int32()
        listed = sorted(block.transactions, key=lambda each: (each.account, each.lt))
        if mode & AFTER:
            after = (query.int256(), query.int64())
            listed = [each for each in listed if (each.account, each.lt) > after]
        return block, count, listed[:count], len(listed) > count


def _header_of(block: MinedBlock) -> bytes:
    proof = bag_of_cells(header_proof(block))
    return tl_answer("blockHeader", id=block.id.to_dict(), mode=0, header_proof=proof)


def _zero_state() -> dict[str, Any]:
    return {"workchain": MASTERCHAIN, "root_hash": NO_HASH.hex(), "file_hash": NO_HASH.hex()}
