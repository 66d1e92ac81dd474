"""The chain's reader, over liteservers of the chain in a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.liteservers import Liteservers
from adapters.ton.reader import NotOnThisChain, TonChainReader
from adapters.ton.settings import TESTNET, TonChain
from domain.chains.model import Transfer
from domain.shared.money import Asset, AssetId
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

COIN = Asset(id=AssetId("ton:-3/slip44:607"), symbol="GRAM", decimals=9)
SHOP = "0:" + "5a" * 32
DEPOSIT = "0:" + "7b" * 32


@pytest.fixture
async def devnet() -> AsyncIterator[TonDevnet]:
    async with TonDevnet(block_seconds=0, liteservers=2) as devnet:
        yield devnet


@pytest.fixture
async def reader(devnet: TonDevnet) -> AsyncIterator[TonChainReader]:
    settings = TonChain(
        global_id=TESTNET, config=devnet.config(), native=COIN, request_timeout_seconds=1
    )

    async def owners() -> Sequence[str]:
        return [DEPOSIT]

    async with Liteservers(settings) as servers:
        yield TonChainReader(servers, settings, hot_wallet=SHOP, owners=owners)


async def test_the_newest_block_of_the_masterchain_is_final(
    devnet: TonDevnet, reader: TonChainReader
) -> None:
    devnet.mine(blocks=3)
    head = await reader.head()
    assert head.latest == head.safe == head.final == devnet.head.seqno
    assert head.final_hash == devnet.head.root_hash.hex()
    block = await reader.block(head.final)
    assert block is not None
    assert block.hash == head.final_hash
    assert await reader.block(head.final + 1) is None


async def test_money_is_seen_once_with_its_comment(
    devnet: TonDevnet, reader: TonChainReader
) -> None:
    first = devnet.head.seqno + 1
    devnet.give(address=SHOP, amount=2_000_000_000, comment="order 7")
    devnet.give(address=SHOP, amount=1, comment="")
    devnet.mine_all()
    devnet.mine(blocks=3)
    scan = await reader.scan(first=first, last=first + 50)
    facts = [each.fact for each in scan.observations if isinstance(each.fact, Transfer)]
    assert {(fact.money.amount, fact.memo) for fact in facts} == {
        (2_000_000_000, "order 7"),
        (1, None),
    }
    assert {fact.target for fact in facts} == {SHOP}
    assert len({each.key for each in scan.observations}) == len(scan.observations)
    assert [each.number for each in scan.blocks] == list(range(first, devnet.head.seqno + 1))
    for before, block in zip(scan.blocks, scan.blocks[1:], strict=False):
        assert block.parent == before.hash


async def test_ranges_that_meet_give_what_one_range_gives(
    devnet: TonDevnet, reader: TonChainReader
) -> None:
    first = devnet.head.seqno + 1
    for number in range(6):
        devnet.give(address=DEPOSIT, amount=10 + number)
        devnet.mine(blocks=2)
    last = devnet.head.seqno
    whole = await reader.scan(first=first, last=last)
    halves = [
        await reader.scan(first=first, last=first + 4),
        await reader.scan(first=first + 5, last=last),
    ]
    assert sum((half.observations for half in halves), ()) == whole.observations
    # What lies there pays rent as the devnet's clock goes on, which is told besides.
    assert len([it for it in whole.observations if isinstance(it.fact, Transfer)]) == 6


async def test_what_was_held_after_a_block(devnet: TonDevnet, reader: TonChainReader) -> None:
    devnet.give(address=SHOP, amount=5)
    devnet.mine_all()
    then = devnet.head.seqno
    devnet.give(address=SHOP, amount=7)
    devnet.mine_all()
    now = devnet.head.seqno
    held = [(await reader.balance(SHOP, COIN.id, at_block=at)).amount for at in (then, now)]
    assert held == [5, 12]
    [nothing] = await reader.balances([DEPOSIT], COIN.id, at_block=now)
    assert nothing.amount == 0
    with pytest.raises(NotOnThisChain):
        await reader.balance(SHOP, AssetId("eip155:1/slip44:60"), at_block=now)


async def test_a_server_that_is_silent_is_passed_over(
    devnet: TonDevnet, reader: TonChainReader
) -> None:
    devnet.mine()
    devnet.liteservers[0].faults.frozen = True
    devnet.mine()
    assert (await reader.head()).final == devnet.head.seqno
    devnet.liteservers[1].faults.frozen = True
    with pytest.raises(ChainUnavailable):
        await reader.head()
