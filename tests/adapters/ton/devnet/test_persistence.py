"""A chain that is kept is the same when it is opened again, and tells what it cannot open."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from typing import TYPE_CHECKING

import attrs
import pytest
from pytoniq_core import begin_cell

from adapters.ton.devnet.blocks import WHOLE_SHARD
from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.parameters import ChainParameters, StoragePrices
from adapters.ton.devnet.store import ChainUnreadable, DevnetRunning
from tests.adapters.ton.devnet.box import TON, Box, client_of, comment_of, somebody, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.ton.devnet.chain import Chain

START = 1_790_000_000
KEPT = 4


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "chain.sqlite"


def opened(database: Path, *, blocks_kept: int = 100) -> TonDevnet:
    return TonDevnet(
        database=database, block_seconds=0, clock=lambda: START, blocks_kept=blocks_kept
    )


@attrs.frozen
class Seen:
    """All that a chain answers from."""

    blocks: list[tuple[bytes, ...]]
    accounts: list[bytes | None]
    history: dict[bytes, list[tuple[bytes, int, bytes]]]

    @classmethod
    def of(cls, chain: Chain) -> Seen:
        newest, oldest = chain.masterchain.newest, chain.masterchain.oldest
        assert newest is not None
        assert oldest is not None
        blocks, accounts, history = [], [], {}
        for seqno in range(oldest.id.seqno, newest.id.seqno + 1):
            block, shard = chain.masterchain.at(seqno), chain.basechain.at(seqno)
            assert block is not None
            assert shard is not None
            both = block.id, shard.id
            hashes = [each.root_hash for each in both] + [each.file_hash for each in both]
            cells = [block.root.hash, block.state.hash, shard.root.hash, shard.state.hash]
            blocks.append((*hashes, *cells, *(each.cell.hash for each in shard.transactions)))
            accounts.append(shard.accounts.cell.hash if shard.accounts else None)
            for done in shard.transactions:
                history[done.account] = [
                    (each.transaction.cell.hash, each.transaction.lt, each.block.root_hash)
                    for each in chain.transactions(done.account)
                ]
        return cls(blocks, accounts, history)


async def test_a_chain_is_the_same_when_it_is_opened_again(database: Path) -> None:
    payee = somebody()
    async with opened(database) as devnet, client_of(devnet.config()) as client:
        box = Box(devnet, client)
        wallet = await box.wallet()
        devnet.send(message=box.transfer(wallet, payee))
        devnet.give(address=somebody(), amount=7)
        devnet.mine_all()
        key, before = devnet.config()["liteservers"][0]["id"], Seen.of(devnet.chain)
        head, lt = devnet.head, devnet.chain.transactions(payee.hash_part)[-1].transaction.lt
    async with opened(database) as devnet, client_of(devnet.config()) as client:
        assert devnet.config()["liteservers"][0]["id"] == key
        assert Seen.of(devnet.chain) == before
        box = Box(devnet, client)
        assert await box.balance(payee, block=head) == TON
        devnet.give(address=payee, amount=3)
        await box.mined()
        later, first = await client.get_transactions(payee, 5)
        assert later.lt > first.lt == lt
        assert devnet.head.seqno == head.seqno + 1
        assert await box.balance(payee) == TON + 3


async def test_what_is_on_its_way_arrives_after_a_restart(database: Path) -> None:
    payee, other = somebody(), somebody()
    async with opened(database) as devnet, client_of(devnet.config()) as client:
        wallet = await Box(devnet, client).wallet()
        message = Box(devnet, client).transfer(wallet, payee)
        devnet.send(message=message)
        devnet.give(address=other, amount=5, comment="kept")
    async with opened(database) as devnet:
        assert not devnet.chain.quiet
        devnet.send(message=message)  # Once more, as a client may that was not answered.
        devnet.mine()
        assert len(devnet.chain.transactions(other.hash_part)) == 1
        assert devnet.chain.transactions(payee.hash_part) == []
    async with opened(database) as devnet, client_of(devnet.config()) as client:
        box = Box(devnet, client)
        await box.mined()
        assert await box.balance(payee) == TON
        assert devnet.chain.quiet
        (told,) = await client.get_transactions(other, 2)
        assert comment_of(told) == "kept"


async def test_time_and_libraries_are_kept(database: Path) -> None:
    library = begin_cell().store_uint(5, 8).end_cell()
    async with opened(database) as devnet:
        devnet.advance(seconds=3600)
        devnet.publish(library=library)
    async with opened(database) as devnet:
        assert devnet.now == START + 3600
        assert devnet.chain.libraries == {library.hash: library}


async def test_a_new_chain_gives_once(database: Path) -> None:
    payee = somebody()
    for _ in range(3):
        async with TonDevnet(
            database=database, block_seconds=0, endowed={payee.to_str(): TON}
        ) as devnet:
            devnet.mine()
            assert len(devnet.chain.transactions(payee.hash_part)) == 1


async def test_old_blocks_are_forgotten_in_the_file_too(database: Path) -> None:
    payee = somebody()
    async with opened(database, blocks_kept=KEPT) as devnet:
        for _ in range(5 * KEPT):
            devnet.give(address=payee, amount=TON)
            devnet.mine()
        before = Seen.of(devnet.chain)
    with sqlite3.connect(database) as file:
        assert file.execute("SELECT count(*) FROM block").fetchone()[0] <= 2 * KEPT + 1
        assert file.execute("SELECT count(*) FROM account").fetchone()[0] <= 2 * KEPT + 1
    file.close()
    async with (
        opened(database, blocks_kept=KEPT) as devnet,
        client_of(devnet.config()) as client,
    ):
        assert Seen.of(devnet.chain) == before
        box = Box(devnet, client)
        oldest = devnet.chain.masterchain.oldest
        assert oldest is not None
        given = oldest.id.seqno - 1
        assert await box.balance(payee, block=oldest.id) == given * TON
        assert len(await client.get_transactions(payee, 5 * KEPT)) == 5 * KEPT
        found, _ = await client.lookup_block(-1, WHOLE_SHARD, oldest.id.seqno)
        assert found == oldest.id


def journal_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def torn(database: Path, journal: bytes) -> Path:
    """Return a copy of a database as it is when so much of its journal has come to the disk."""
    copy = database.with_name(f"torn at {len(journal)}")
    shutil.copy(database, copy)
    journal_of(copy).write_bytes(journal)
    return copy


async def test_any_part_of_the_journal_that_is_left_is_the_same_chain(database: Path) -> None:
    payee = somebody()
    async with opened(database) as devnet:
        for _ in range(12):
            devnet.give(address=payee, amount=TON)
            devnet.mine()
        whole = Seen.of(devnet.chain).blocks
        journal = await asyncio.to_thread(journal_of(database).read_bytes)
        parts = [len(journal), len(journal) - 1, len(journal) * 2 // 3, len(journal) // 2]
        copies = [torn(database, journal[:part]) for part in parts]
    lengths = []
    for copy in copies:
        async with opened(copy) as devnet:
            blocks = Seen.of(devnet.chain).blocks
            lengths.append(len(blocks))
            assert blocks == whole[: len(blocks)]
            assert len(devnet.chain.transactions(payee.hash_part)) == len(blocks) - 1
            devnet.mine()
    assert lengths[0] == len(whole)
    assert lengths[0] >= lengths[1] > lengths[2] > lengths[3]


async def test_only_one_devnet_has_a_chain(database: Path) -> None:
    async with opened(database):
        with pytest.raises(DevnetRunning):
            opened(database)


def _no_database(file: Path) -> None:
    file.write_bytes(b"\xff" * 8192)


def _another_database(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("DROP TABLE block")
        other.execute("PRAGMA application_id = 1")
    other.close()


def _another_format(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()


def _another_block(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("UPDATE block SET at = at + 1 WHERE seqno = (SELECT max(seqno) FROM block)")
    other.close()


def _another_balance(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("UPDATE account SET balance = '8'")
    other.close()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_no_database, "not a database"),
        (_another_database, "of something else"),
        (_another_format, "its format is 99, and not 1"),
        (_another_block, "block 2 was another one"),
        (_another_balance, "block 2 was another one"),
    ],
)
async def test_what_is_no_whole_chain_is_not_opened(
    database: Path, spoil: Callable[[Path], None], why: str
) -> None:
    async with opened(database) as devnet:
        devnet.give(address=somebody(), amount=1)
        devnet.mine()
    spoil(database)
    with pytest.raises(ChainUnreadable, match=why):
        opened(database)


async def test_a_chain_keeps_its_parameters(database: Path) -> None:
    async with opened(database):
        pass
    with pytest.raises(ChainUnreadable, match="other parameters"):
        TonDevnet(database=database, parameters=ChainParameters(storage=StoragePrices(cell=1)))


async def test_nothing_is_mined_while_nothing_happens() -> None:
    payee = somebody()
    async with (
        TonDevnet(block_seconds=0.02, idle_seconds=0.5) as devnet,
        client_of(devnet.config(), seconds=1) as client,
    ):
        first, begun = devnet.head.seqno, time.monotonic()

        async def beaten() -> bool:
            return bool(client.last_mc_block.seqno >= first + 2)

        await until(beaten)
        assert time.monotonic() - begun > 0.4
        before = devnet.head.seqno
        devnet.give(address=payee, amount=TON)
        begun = time.monotonic()

        async def paid() -> bool:
            return bool((await client.get_account_state(payee)).balance == TON)

        await until(paid)
        assert time.monotonic() - begun < 0.4
        assert devnet.head.seqno <= before + 2
        assert client.alive_peers_num == 1
