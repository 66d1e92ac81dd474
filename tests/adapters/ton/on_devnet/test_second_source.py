"""Two who tell of one chain: that they agree, that they do not, and that one is silent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from adapters.ton.liteservers import SourcesDisagree
from adapters.ton.reader import TonChainReader
from adapters.ton.second_source import SecondSourceSilent, Standing
from adapters.ton.sender import TonChainSender
from tests.adapters.ton.on_devnet.gateway import coins, hot_signer
from tests.adapters.ton.on_devnet.sources import KEY, devnet, watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.adapters.ton.on_devnet.sources import Watched

SHOP = hot_signer().address
SILENCES: list[dict[str, Any]] = [
    {"silent": True},
    {"status": 429},
    {"status": 500},
    {"body": "<html>"},
    {"blocks_behind": 60},
]


@pytest.fixture
async def world() -> AsyncIterator[Watched]:
    async with devnet() as running:
        running.mine(blocks=5)
        async with watched(running) as world:
            yield world


def spoil(world: Watched, **faults: Any) -> None:  # noqa: ANN401 (any fault's)
    for name, value in faults.items():
        setattr(world.toncenter.faults, name, value)


def heal(world: Watched) -> None:
    spoil(world, silent=False, status=None, body=None, blocks_behind=0, another_chain=False)


def reader_of(world: Watched) -> TonChainReader:
    async def owners() -> Sequence[str]:
        return []

    return TonChainReader(
        world.servers, world.settings, hot_wallet=SHOP, owners=owners, sources=world.sources
    )


def sender_of(world: Watched) -> TonChainSender:
    signer = hot_signer()
    return TonChainSender(
        world.servers,
        world.settings,
        wallet=signer.wallet,
        signer=signer,
        clock=world.clock,
        sources=world.sources,
    )


async def test_the_box_answers_in_the_shapes_of_the_vendors_schema(world: Watched) -> None:
    named = {"@type", "workchain", "shard", "seqno", "root_hash", "file_hash"}
    where = f"workchain=-1&shard=-9223372036854775808&seqno={world.devnet.head.seqno}"
    async with aiohttp.ClientSession(headers={"X-API-Key": KEY}) as session:

        async def told(path: str) -> tuple[int, dict[str, Any]]:
            async with session.get(f"{world.toncenter.url}/{path}") as answer:
                return answer.status, await answer.json()

        status, info = await told("getMasterchainInfo")
        assert (status, set(info)) == (200, {"ok", "result", "@extra"})
        result = info["result"]
        assert result.keys() == {"@type", "last", "state_root_hash", "init", "@extra"}
        assert result["last"].keys() == result["init"].keys() == named
        status, block = await told(f"lookupBlock?{where}")
        assert (status, set(block["result"])) == (200, named | {"@extra"})
        assert block["result"].items() >= result["last"].items()
        status, refusal = await told(f"lookupBlock?{where}0")
        assert (status, set(refusal)) == (500, {"ok", "error", "code", "@extra"})
        assert (refusal["ok"], refusal["code"]) == (False, 500)


async def test_sources_that_agree_are_read_from(world: Watched) -> None:
    assert world.second()[0] is Standing.UNASKED
    world.clock.advance(seconds=5)
    assert (await reader_of(world).head()).final == world.devnet.head.seqno
    assert world.liteservers() == world.second() == (Standing.SOUND, world.clock.now())


async def test_nothing_is_read_nor_paid_while_sources_disagree(world: Watched) -> None:
    world.devnet.give(address=SHOP, amount=10**10)
    world.devnet.mine_all()
    reader, sender = reader_of(world), sender_of(world)
    prepared = await sender.prepare(coins(1, "0:" + "5a" * 32))
    signed = await sender.sign(prepared, sequence=0)
    block = await reader.block(world.devnet.head.seqno)
    assert block is not None
    spoil(world, another_chain=True)
    with pytest.raises(SourcesDisagree) as found:
        await reader.head()
    assert found.value.number == world.devnet.head.seqno
    assert found.value.ours == world.devnet.head.root_hash.hex() != found.value.theirs
    with pytest.raises(SourcesDisagree):
        await reader.scan(first=1, last=9)
    with pytest.raises(SourcesDisagree):
        await reader.inclusions([signed.hash])
    with pytest.raises(SourcesDisagree):
        await reader.is_absent(signed, through=block)
    with pytest.raises(SourcesDisagree):
        await sender.prepare(coins(1, SHOP))
    with pytest.raises(SourcesDisagree):
        await sender.broadcast(signed)
    world.devnet.mine()
    assert world.devnet.chain.quiet
    assert len(world.devnet.chain.transactions(hot_signer().wallet.address.account)) == 1
    assert world.second()[0] is Standing.DISAGREES
    heal(world)
    await sender.broadcast(signed)
    assert world.second()[0] is Standing.SOUND
    assert not world.devnet.chain.quiet


async def test_a_second_source_that_lags_is_compared_by_an_older_block(world: Watched) -> None:
    await world.sources.newest()
    spoil(world, blocks_behind=3)
    assert (await world.sources.newest()).seqno == world.devnet.head.seqno
    assert world.second()[0] is Standing.SOUND
    spoil(world, another_chain=True)
    with pytest.raises(SourcesDisagree) as found:
        await world.sources.newest()
    assert found.value.number == world.devnet.head.seqno - 3


async def test_liteservers_that_lag_a_little_are_compared_by_their_newest(world: Watched) -> None:
    await world.sources.newest()
    world.devnet.liteservers[0].faults.blocks_behind = 2
    world.devnet.mine(blocks=2)
    known = world.devnet.head.seqno - 2
    assert (await world.sources.newest()).seqno == known
    assert world.second()[0] is Standing.SOUND
    assert world.toncenter.asked[-2:] == ["getMasterchainInfo", "lookupBlock"]
    spoil(world, another_chain=True)
    with pytest.raises(SourcesDisagree) as found:
        await world.sources.newest()
    assert found.value.number == known


async def test_a_disagreement_does_not_end_by_silence(world: Watched) -> None:
    spoil(world, another_chain=True)
    with pytest.raises(SourcesDisagree):
        await world.sources.newest()
    heal(world)
    spoil(world, status=500)
    for _ in range(2):
        with pytest.raises(SourcesDisagree):
            await world.sources.newest()
    assert world.second()[0] is Standing.DISAGREES
    heal(world)
    assert (await world.sources.newest()).seqno == world.devnet.head.seqno
    assert world.second()[0] is Standing.SOUND


@pytest.mark.parametrize("fault", SILENCES)
async def test_silence_is_seen_and_stops_nothing(
    world: Watched, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="adapters.ton")
    world.devnet.mine(blocks=70)
    reader = reader_of(world)
    await reader.head()
    spoil(world, **fault)
    world.clock.advance(seconds=7)
    since = world.clock.now()
    for _ in range(3):
        assert (await reader.head()).final == world.devnet.head.seqno
        assert len((await reader.scan(first=2, last=4)).blocks) == 3
        world.clock.advance(seconds=1)
    assert world.second() == (Standing.SILENT, since)
    detail = world.sources.second.detail
    assert detail
    heal(world)
    await reader.head()
    assert world.second()[0] is Standing.SOUND
    told = [each.message for each in caplog.records if "second source" in each.message]
    assert [each.split(": ")[1].split(".")[0] for each in told] == ["sound", "silent", "sound"]
    assert KEY not in caplog.text + detail
    assert "127.0.0.1" not in caplog.text + detail


async def test_where_it_has_to_answer_silence_stops_reading() -> None:
    async with devnet() as running, watched(running, required=True) as world:
        await world.sources.newest()
        spoil(world, status=500)
        with pytest.raises(SecondSourceSilent):
            await world.sources.newest()
        heal(world)
        assert (await world.sources.newest()).seqno == running.head.seqno


async def test_its_answer_counts_for_a_while_and_silence_for_longer() -> None:
    async with devnet() as running, watched(running, seconds=60) as world:
        for _ in range(3):
            running.mine()
            assert (await world.sources.newest()).seqno == running.head.seqno
        assert world.toncenter.asked == ["getMasterchainInfo"]
    async with devnet() as running, watched(running, seconds=60) as world:
        spoil(world, status=429)
        for _ in range(3):
            await world.sources.newest()
        assert len(world.toncenter.asked) == 1


async def test_two_agree_to_a_block_where_both_have_it_by_one_name(world: Watched) -> None:
    reader = reader_of(world)
    block = await reader.block((await reader.head()).final)
    assert block is not None

    assert await reader.agreed(block, providers=1)
    assert await reader.agreed(block, providers=2)
    assert not await reader.agreed(block, providers=3)


@pytest.mark.parametrize("faults", [{"silent": True}, {"body": "<html>"}, {"blocks_behind": 1}])
async def test_a_second_source_that_does_not_tell_has_not_agreed(
    world: Watched, faults: dict[str, Any]
) -> None:
    reader = reader_of(world)
    block = await reader.block((await reader.head()).final)
    assert block is not None
    spoil(world, **faults)

    assert await reader.agreed(block, providers=1)
    assert not await reader.agreed(block, providers=2)
    heal(world)
    assert await reader.agreed(block, providers=2)


async def test_one_that_has_another_block_stops_all_that_reads(world: Watched) -> None:
    reader = reader_of(world)
    block = await reader.block((await reader.head()).final)
    assert block is not None
    spoil(world, another_chain=True)

    with pytest.raises(SourcesDisagree):
        await reader.agreed(block, providers=2)
    assert world.second()[0] is Standing.DISAGREES
