"""A message is handed to liteservers and to the second source; either is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.ton.liteservers import NotAccepted
from adapters.ton.sender import TonChainSender
from ports.chain import ChainUnavailable
from tests.adapters.ton.on_devnet.gateway import TON, coins, hot_signer
from tests.adapters.ton.on_devnet.sources import devnet, watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.chains.submissions import SignedBytes
    from tests.adapters.ton.on_devnet.sources import Watched

PAYEE = "0:" + "5a" * 32


@pytest.fixture
async def world() -> AsyncIterator[Watched]:
    async with devnet() as running:
        running.give(address=hot_signer().address, amount=10 * TON)
        running.mine_all()
        async with watched(running) as world:
            yield world


@pytest.fixture
def sender(world: Watched) -> TonChainSender:
    signer = hot_signer()
    return TonChainSender(
        world.servers,
        world.settings,
        wallet=signer.wallet,
        signer=signer,
        clock=world.clock,
        sources=world.sources,
    )


@pytest.fixture
async def signed(sender: TonChainSender) -> SignedBytes:
    return await sender.sign(await sender.prepare(coins(TON, PAYEE)), sequence=0)


def paid(world: Watched) -> int:
    world.devnet.mine_all()
    return len(world.devnet.chain.transactions(bytes.fromhex(PAYEE[2:])))


async def test_all_are_handed_it(
    world: Watched, sender: TonChainSender, signed: SignedBytes
) -> None:
    await sender.broadcast(signed)
    assert "sendBocReturnHash" in world.toncenter.asked
    assert paid(world) == 1


async def test_it_arrives_though_no_liteserver_answers(
    world: Watched, sender: TonChainSender, signed: SignedBytes
) -> None:
    world.devnet.liteservers[0].faults.frozen = True
    await sender.broadcast(signed)
    assert paid(world) == 1


async def test_it_arrives_though_all_liteservers_have_gone(
    world: Watched, sender: TonChainSender, signed: SignedBytes
) -> None:
    await world.devnet.liteservers[0].stop()
    await sender.broadcast(signed)
    assert paid(world) == 1


@pytest.mark.parametrize("fault", ["silent", "status"])
async def test_it_arrives_though_the_second_source_is_silent(
    world: Watched, sender: TonChainSender, signed: SignedBytes, fault: str
) -> None:
    setattr(world.toncenter.faults, fault, 500)
    await sender.broadcast(signed)
    assert paid(world) == 1


async def test_where_nobody_answers_it_is_unknown(
    world: Watched, sender: TonChainSender, signed: SignedBytes
) -> None:
    world.toncenter.faults.status = 500
    world.devnet.liteservers[0].faults.frozen = True
    with pytest.raises(ChainUnavailable):
        await sender.broadcast(signed)
    assert paid(world) == 0


async def test_again_it_is_no_error_and_pays_once(
    world: Watched, sender: TonChainSender, signed: SignedBytes
) -> None:
    await sender.broadcast(signed)
    assert paid(world) == 1
    await sender.broadcast(signed)
    with pytest.raises(NotAccepted):
        await world.sources.broadcast(signed.raw)
    assert paid(world) == 1


async def test_that_one_does_not_accept_it_is_no_error_where_the_other_is_silent(
    world: Watched, sender: TonChainSender, signed: SignedBytes
) -> None:
    world.toncenter.faults.messages_refused = True
    world.devnet.liteservers[0].faults.frozen = True
    await sender.broadcast(signed)
    assert paid(world) == 0


async def test_that_one_does_not_accept_it_stops_no_other(
    world: Watched, signed: SignedBytes
) -> None:
    world.toncenter.faults.messages_refused = True
    await world.sources.broadcast(signed.raw)
    assert paid(world) == 1
