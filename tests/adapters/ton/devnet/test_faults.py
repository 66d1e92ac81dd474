from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pytoniq import LiteClient, LiteServerError

from adapters.ton.devnet.devnet import TonDevnet
from tests.adapters.ton.devnet.box import TON, client_of, somebody, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.ton.devnet.box import Box


@pytest.fixture
async def two() -> AsyncIterator[TonDevnet]:
    async with TonDevnet(block_seconds=0, liteservers=2) as running:
        yield running


def _client(devnet: TonDevnet, place: int) -> LiteClient:
    client: LiteClient = LiteClient.from_config(devnet.config(), place, trust_level=1, timeout=1)
    return client


async def _has_seen(client: LiteClient, devnet: TonDevnet) -> bool:
    return bool(client.last_mc_block == devnet.head)


async def _ping(client: LiteClient) -> None:
    ping, number = client.get_ping_query()
    await asyncio.wait_for(await client.send(ping, number), timeout=0.2)


async def test_a_frozen_server_answers_nothing_and_the_other_does(two: TonDevnet) -> None:
    async with _client(two, 0) as frozen, _client(two, 1) as alive:
        two.liteservers[0].faults.frozen = True
        with pytest.raises(TimeoutError):
            await frozen.get_time()
        assert (await alive.get_time())["now"] > 0
        two.mine()
        await until(lambda: _has_seen(alive, two))
        assert frozen.last_mc_block.seqno < two.head.seqno
        with pytest.raises(TimeoutError):
            await _ping(frozen)
        two.liteservers[0].faults.frozen = False
        await _ping(frozen)
        assert (await frozen.get_time())["now"] > 0


async def test_a_wait_is_not_answered_after_the_freeze(two: TonDevnet) -> None:
    async with _client(two, 0) as client:
        wait = client.wait_masterchain_seqno(two.head.seqno + 1, 9_000, "getMasterchainInfo")
        waiting = asyncio.create_task(wait)
        assert (await client.get_time())["now"] > 0  # The wait has arrived before this question.
        two.liteservers[0].faults.frozen = True
        two.mine()
        with pytest.raises(TimeoutError):
            await waiting
        two.liteservers[0].faults.frozen = False


async def test_a_frozen_server_takes_connections_and_leaves_them(two: TonDevnet) -> None:
    two.liteservers[0].faults.frozen = True
    client = _client(two, 0)
    with pytest.raises(TimeoutError):
        await client.connect()
    await client.close()


async def test_a_balancer_goes_on_with_the_server_that_answers(two: TonDevnet) -> None:
    payee = somebody()
    two.give(address=payee, amount=TON)
    two.mine_all()
    async with client_of(two.config(), seconds=1) as client:
        client.set_max_retries(2)
        assert client.alive_peers_num == 2
        two.liteservers[0].faults.frozen = True
        assert (await client.get_account_state(payee)).balance == TON
        two.liteservers[0].faults.frozen = False


async def test_a_server_that_lags_has_not_seen_the_newest_blocks(two: TonDevnet) -> None:
    payee = somebody()
    two.mine(blocks=5)
    two.liteservers[0].faults.blocks_behind = 3
    two.give(address=payee, amount=TON)
    two.mine()
    async with _client(two, 0) as behind, _client(two, 1) as ahead:
        assert behind.last_mc_block.seqno == two.head.seqno - 3
        assert (await behind.get_account_state(payee)).balance == 0
        assert (await ahead.get_account_state(payee)).balance == TON
        with pytest.raises(LiteServerError, match="is not in db") as unknown:
            await behind.raw_get_account_state(payee, two.head)
        assert unknown.value.code == 651
        two.mine(blocks=3)

        async def paid() -> bool:
            return bool((await behind.get_account_state(payee)).balance == TON)

        await until(paid)


async def test_a_slow_server_answers_later(two: TonDevnet) -> None:
    async with _client(two, 0) as slow:
        two.liteservers[0].faults.delay_seconds = 1.5
        with pytest.raises(TimeoutError):
            await slow.get_time()
        two.liteservers[0].faults.delay_seconds = 0


async def test_a_refused_wait_stops_a_client_for_good(two: TonDevnet) -> None:
    client = _client(two, 0)
    await client.connect()
    two.liteservers[0].faults.waits_refused = True
    with pytest.raises(LiteServerError) as refused:
        await client.updater
    assert (refused.value.code, refused.value.message) == (652, "timeout")
    two.liteservers[0].faults.waits_refused = False
    two.mine()
    assert (await client.get_masterchain_info())["last"]["seqno"] == two.head.seqno
    assert client.last_mc_block.seqno < two.head.seqno
    await client.close()


async def test_a_wait_in_vain_ends_with_652(two: TonDevnet) -> None:
    async with _client(two, 0) as client:
        with pytest.raises(LiteServerError) as late:
            await client.wait_masterchain_seqno(1_000, 50, "getMasterchainInfo")
    assert late.value.code == 652


async def test_a_lost_message_is_accepted_and_executed_only_if_sent_again(box: Box) -> None:
    wallet, payee = await box.wallet(), somebody()
    message = box.transfer(wallet, payee)
    box.devnet.liteservers[0].faults.messages_to_lose = 1
    assert await box.client.raw_send_message(message) == 1
    box.devnet.mine(blocks=3)
    await box.synced()
    assert await box.balance(payee) == 0
    assert await box.client.raw_send_message(message) == 1
    await box.mined()
    assert await box.balance(payee) == TON


async def test_who_does_not_speak_adnl_is_hung_up_on(devnet: TonDevnet) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", devnet.liteservers[0].port)
    writer.write(b"GET / HTTP/1.1\r\n" + bytes(300))
    assert await reader.read() == b""
    writer.close()


async def test_an_unknown_query_is_refused(box: Box) -> None:
    with pytest.raises(LiteServerError, match="unknown query"):
        await box.client.execute_method("liteserver_request", "getValidatorStats", {
            "mode": 0, "id": box.devnet.head.to_dict(), "limit": 1,
        })  # fmt: skip


async def test_who_is_connected_at_the_end_is_hung_up_on(caplog: pytest.LogCaptureFixture) -> None:
    async with TonDevnet(block_seconds=0) as devnet:
        client = _client(devnet, 0)
        await client.connect()
    listener = client.listener
    await asyncio.wait([listener], timeout=5)
    assert listener.done()
    await client.close()
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []
