from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from nacl.signing import SigningKey
from pytoniq import LiteServerError, RunGetMethodError, WalletV4R2
from pytoniq.contract.wallets.wallet import WALLET_V4_R2_CODE
from pytoniq_core import Address, Cell, begin_cell

from adapters.ton.devnet.blocks import WHOLE_SHARD
from adapters.ton.devnet.emulator import GET_METHOD_GAS
from tests.adapters.ton.devnet.box import TON, comment, somebody

if TYPE_CHECKING:
    from pytoniq_core import BlockIdExt

    from tests.adapters.ton.devnet.box import Box

LIBRARY = 2
"""The type of a cell that names another by its hash."""


async def test_a_balance_is_read_at_an_old_block(box: Box) -> None:
    payee = somebody()
    before = await box.mined()
    blocks: list[BlockIdExt] = []
    for _ in range(3):
        box.devnet.give(address=payee, amount=TON)
        blocks.append(await box.mined())
        box.devnet.give(address=somebody(), amount=TON)
    await box.mined()
    assert await box.balance(payee, block=before) == 0
    assert [await box.balance(payee, block=each) for each in blocks] == [TON, 2 * TON, 3 * TON]


async def test_a_get_method_runs_on_an_old_block(box: Box) -> None:
    wallet = await box.wallet()
    old = await box.synced()
    await wallet.transfer(somebody(), TON)
    await box.mined()
    assert await box.client.run_get_method(wallet.address, "seqno", []) == [2]
    assert await box.client.run_get_method(wallet.address, "seqno", [], old) == [1]


async def test_get_methods_say_why_there_is_no_result(box: Box) -> None:
    wallet = await box.wallet()
    with pytest.raises(RunGetMethodError) as unknown:
        await box.client.run_get_method(wallet.address, "no_such_method", [])
    assert unknown.value.exit_code == 11
    with pytest.raises(RunGetMethodError) as missing:
        await box.client.run_get_method(somebody(), "seqno", [])
    assert missing.value.exit_code == -256
    assert GET_METHOD_GAS == 1_000_000


async def test_the_masterchain_has_no_accounts(box: Box) -> None:
    payee = somebody()
    box.devnet.give(address=payee, amount=TON)
    box.devnet.give(address=Address((-1, payee.hash_part)), amount=TON)
    await box.mined()
    assert await box.balance(payee) == TON
    assert await box.balance(Address((-1, payee.hash_part))) == 0


async def test_an_account_that_never_was_is_empty(box: Box) -> None:
    assert await box.client.raw_get_account_state(somebody()) == (None, None)
    assert (await box.client.get_account_state(somebody())).balance == 0


async def test_blocks_are_found_by_number_logical_time_and_time(box: Box) -> None:
    payee = somebody()
    box.devnet.give(address=payee, amount=TON)
    head = await box.mined()
    box.devnet.advance(seconds=100)
    box.devnet.advance(seconds=100)
    await box.synced()
    (arrived,) = await box.client.get_transactions(payee, 1)

    found, header = await box.client.lookup_block(-1, WHOLE_SHARD, head.seqno)
    assert found == head
    assert (header.info.seqno, header.info.shard.workchain_id) == (head.seqno, -1)
    (shard,) = await box.client.get_all_shards_info(head)
    found, header = await box.client.lookup_block(0, WHOLE_SHARD, lt=arrived.lt)
    assert found == shard
    assert header.info.start_lt <= arrived.lt <= header.info.end_lt
    found, header = await box.client.lookup_block(
        -1, WHOLE_SHARD, utime=header.info.gen_utime + 99
    )
    assert found == head
    with pytest.raises(LiteServerError, match="block is not found") as unknown:
        await box.client.lookup_block(-1, WHOLE_SHARD, 1_000_000)
    assert unknown.value.code == 651


async def test_a_walk_over_blocks_meets_every_transaction(box: Box) -> None:
    wallet, payees = await box.wallet(), [somebody() for _ in range(3)]
    for payee in payees:
        await wallet.transfer(payee, TON, body=comment("hello"))
        await box.mined()
    head = box.devnet.head
    met = []
    for seqno in range(1, head.seqno + 1):
        masterchain, _ = await box.client.lookup_block(-1, WHOLE_SHARD, seqno)
        (shard,) = await box.client.get_all_shards_info(masterchain)
        assert shard.seqno == seqno
        full = await box.client.raw_get_block_transactions_ext(shard)
        listed = await box.client.raw_get_block_transactions(shard)
        assert [each["hash"] for each in listed] == [each.cell.hash for each in full]
        block = await box.client.raw_get_block(shard)
        assert block.info.seqno == seqno
        met += full
    accounts = {wallet.address.hash_part, *(each.hash_part for each in payees)}
    expected = [
        placed.transaction.cell.hash
        for account in accounts
        for placed in box.devnet.chain.transactions(account)
    ]
    assert sorted(each.cell.hash for each in met) == sorted(expected)


async def test_long_lists_come_in_pages(box: Box) -> None:
    payee = somebody()
    for _ in range(40):
        box.devnet.give(address=payee, amount=1)
    head = await box.mined()
    (shard,) = await box.client.get_all_shards_info(head)
    assert len(await box.client.raw_get_block_transactions_ext(shard, count=7)) == 40
    newest_first = await box.client.get_transactions(payee, 40)
    assert len(newest_first) == 40
    assert newest_first[-1].prev_trans_lt == 0
    one = await box.client.get_one_transaction(payee, newest_first[5].lt, shard)
    assert one is not None
    assert one.cell == newest_first[5].cell
    assert await box.client.get_one_transaction(payee, 12345, shard) is None


async def test_a_shard_is_described_and_proved(box: Box) -> None:
    head = await box.mined()
    description = await box.client.raw_get_shard_info(head)
    (shard,) = await box.client.get_all_shards_info(head)
    assert description.root_hash == shard.root_hash
    assert description.reg_mc_seqno == head.seqno


async def test_prices_are_read_from_the_configuration(box: Box) -> None:
    config = await box.client.get_config_params([8, 18, 20, 21, 24, 25])
    assert config[8].version == 8
    assert config[18][0].cell_price_ps == 500
    assert config[20].other.gas_price == 10_000 << 16
    assert config[21].other.gas_price == 400 << 16
    assert (config[21].flat_gas_limit, config[21].flat_gas_price) == (100, 40_000)
    assert config[24].lump_price == 10_000_000
    assert (config[25].lump_price, config[25].cell_price) == (400_000, 40_000 << 16)


async def test_code_may_be_a_published_library(box: Box) -> None:
    box.devnet.publish(library=WALLET_V4_R2_CODE)
    name = begin_cell().store_uint(2, 8).store_bytes(WALLET_V4_R2_CODE.hash).end_cell()
    named = Cell(name.bits, [], LIBRARY)
    key = SigningKey.generate()
    wallet: Any = await WalletV4R2.from_code_and_data(
        box.client, named, bytes(key.verify_key), private_key=bytes(key) + bytes(key.verify_key)
    )
    box.devnet.give(address=wallet.address, amount=TON)
    await box.mined()
    await wallet.send_init_external()
    await box.mined()
    assert await wallet.get_seqno() == 1
    found = await box.client.get_libraries([WALLET_V4_R2_CODE.hash, bytes(32)])
    assert found[WALLET_V4_R2_CODE.hash.hex()] == WALLET_V4_R2_CODE


async def test_time_and_version_are_told(box: Box) -> None:
    before = (await box.client.get_time())["now"]
    box.devnet.advance(seconds=1000)
    assert 1000 <= (await box.client.get_time())["now"] - before < 1060
    version = await box.client.get_version()
    assert (version["version"], version["now"]) == (0x101, box.devnet.now)
    extended = await box.client.get_masterchain_info_ext()
    assert extended["last"]["seqno"] == box.devnet.head.seqno


async def test_states_can_be_fetched_whole(box: Box) -> None:
    head = await box.mined()
    state = await box.client.get_state(-1, None, head.seqno, head.root_hash, head.file_hash)
    assert Cell.one_from_boc(state["data"]).hash.hex() == state["root_hash"]
