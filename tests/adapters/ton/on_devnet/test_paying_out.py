"""Payouts on the devnet, through every service: locked, bounced, lost, expired, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
from pytoniq_core.crypto.signature import sign_message

from adapters.ton.addresses import TonAddress
from adapters.ton.contracts.jetton import Locked
from adapters.ton.devnet.emulator import NotExecuted
from adapters.ton.highload import TRANSFERS_MAX, HighloadBatch, HighloadWallet, query_id
from domain.chains.instructions import SendMany
from domain.chains.submissions import BROADCAST_AGAIN_AFTER, SubmissionState
from domain.ledger.accounts import PAYOUTS_IN_FLIGHT
from domain.settlements.payouts import PayoutState
from domain.shared.money import Money
from ports.chain import ChainUnavailable
from tests.adapters.ton.on_devnet.gateway import COIN, PUBLIC, SECRET, TIMEOUT, TON, Gateway
from tests.adapters.ton.on_devnet.shop import (
    CHAIN,
    COIN_DUE,
    NET,
    address_of,
    memo_of,
    new_shop,
    watch,
)
from tests.crashes.steps import Trail

if TYPE_CHECKING:
    from tests.adapters.ton.on_devnet.shop import Shop

S = PayoutState


@pytest.fixture
async def shop(gate: Gateway) -> Shop:
    return await new_shop(gate)


def set_lock(gate: Gateway, owner: str, status: Locked) -> None:
    """Have the jetton's issuer lock an owner's wallet, or unlock it."""
    order = gate.jetton.lock(
        owner=TonAddress.parse(owner), status=status, attached=TON, for_wallet=TON // 2
    )
    gate.act_all(0, order)


@pytest.mark.parametrize("whose", ["payee's", "ours"])
async def test_locked_jettons_stay_set_aside_until_they_are_unlocked(
    shop: Shop, whose: str
) -> None:
    [payout] = await shop.payouts_under_way(["Ada"])
    if whose == "ours":
        set_lock(shop.gate, shop.gate.watched, Locked.OUTGOING)
        owner = shop.gate.watched
    else:
        owner = shop.gate.somebody("Ada")
        shop.gate.lock(owner)
    before = await shop.held("Ada")
    await shop.send()
    await shop.settle_down()

    refused = await shop.payout(payout)
    assert (refused.state, refused.reason) == (S.REFUSED, "reverted by the chain")
    assert await shop.held("Ada") == before
    assert await shop.set_aside(refused) == NET
    assert await shop.booked(PAYOUTS_IN_FLIGHT) == 0
    await shop.must_be_right()

    set_lock(shop.gate, owner, Locked.NOTHING)
    again = await shop.services.settlements.retry_payout(payout_id=payout.id)
    await shop.send()
    await shop.settle_down()
    assert (await shop.payout(again)).state is S.CONFIRMED
    assert await shop.held("Ada") == before + NET
    await shop.must_be_right()


async def test_a_payout_that_bounces_comes_back_and_the_others_of_its_batch_arrive(
    shop: Shop,
) -> None:
    shop.gate.lock(shop.gate.somebody("locked"))
    payouts = await shop.payouts_under_way(["Ada", "locked", "Bo"])
    await shop.send()
    [batch] = [it for it in shop.submissions if isinstance(it.instruction, SendMany)]
    await shop.settle_down()

    by_target = {(await shop.payout(it)).destination: await shop.payout(it) for it in payouts}
    ends = [by_target[shop.gate.somebody(who)] for who in ("Ada", "locked", "Bo")]
    assert [it.state for it in ends] == [S.CONFIRMED, S.REFUSED, S.CONFIRMED]
    assert [await shop.set_aside(it) for it in ends] == [0, NET, 0]
    assert [await shop.held(who) for who in ("Ada", "locked", "Bo")] == [NET, 1, NET]
    [batch] = [it for it in shop.submissions if it.id == batch.id]
    assert batch.state is SubmissionState.CONFIRMED
    await shop.must_be_right()


async def test_a_message_that_was_lost_is_handed_over_again_as_it_was(shop: Shop) -> None:
    [payout] = await shop.payouts_under_way(["Ada"])
    shop.lose_next()
    await shop.send()
    await shop.settle_down()
    assert await shop.held("Ada") == 0

    shop.pass_time(BROADCAST_AGAIN_AFTER.seconds)
    await shop.send()
    await shop.settle_down()

    assert await shop.states([payout]) == [S.CONFIRMED]
    assert len([it for it in shop.submissions if it.signed]) == 1
    assert await shop.held("Ada") == NET
    await shop.must_be_right()


async def test_a_message_that_has_expired_is_followed_by_another_and_paid_once(
    shop: Shop,
) -> None:
    [payout] = await shop.payouts_under_way(["Ada"])
    shop.lose_next()
    await shop.send()
    await shop.settle_down()
    assert await shop.states([payout]) == [S.BROADCAST]
    await shop.lapse()

    again = await shop.payout(payout)
    assert again.state is S.APPROVED
    assert await shop.set_aside(again) == NET
    await shop.must_be_right()
    await shop.send()
    await shop.settle_down()

    first, second = [it.signed for it in shop.submissions]
    assert first is not None
    assert second is not None
    assert (first.sequence, second.sequence) == (0, 1)
    with pytest.raises(NotExecuted):
        shop.gate.devnet.send(message=first.raw)
    await shop.gate.sender.broadcast(first)
    await shop.settle_down()
    assert await shop.states([payout]) == [S.CONFIRMED]
    assert await shop.held("Ada") == NET
    await shop.must_be_right()


@attrs.define(kw_only=True)
class Freezing(Trail):
    """The trail of a process whose liteserver falls silent just before it is handed a message."""

    gate: Gateway

    def passed(self, what: str) -> None:
        super().passed(what)
        if what == "before sender.broadcast":
            self.gate.devnet.liteservers[0].faults.frozen = True


async def test_a_liteserver_that_is_frozen_changes_nothing(shop: Shop) -> None:
    [payout] = await shop.payouts_under_way(["Ada"])
    impatient = attrs.evolve(shop.gate.settings, request_timeout_seconds=1)
    shop = attrs.evolve(shop, gate=attrs.evolve(shop.gate, settings=impatient))
    async with shop.process(Freezing(gate=shop.gate)) as services:
        await services.sender.send(chain=CHAIN)
        assert await shop.states([payout]) == [S.SIGNED]
        shop.mine()
        with pytest.raises(ChainUnavailable):
            await services.watcher.watch(chain=CHAIN)
        assert await shop.states([payout]) == [S.SIGNED]
        shop.gate.devnet.liteservers[0].faults.frozen = False

    async with shop.process() as services:
        await services.sender.send(chain=CHAIN)
        shop.mine()
        await watch(services)
    assert await shop.states([payout]) == [S.CONFIRMED]
    assert await shop.held("Ada") == NET


async def test_250_payouts_leave_in_one_message(shop: Shop) -> None:
    names = [f"payee {number}" for number in range(TRANSFERS_MAX)]
    await _paid_in_coins(shop, names)
    settlements = await shop.services.settlements.run()
    assert len(settlements) == len(names)

    sent = await shop.services.sender.send(chain=CHAIN)
    assert (sent.signed, sent.broadcast, sent.waiting) == (1, 1, 0)
    await shop.settle_down()

    [batch] = [it for it in shop.submissions if it.signed]
    assert len(batch.parts) == TRANSFERS_MAX == 250
    assert {it.state for it in shop.around.store.tables.payouts} == {S.CONFIRMED}
    for name in names[::50]:
        assert await shop.held(name, COIN) == COIN_DUE * 99 // 100
    await shop.must_be_right()


async def _paid_in_coins(shop: Shop, names: list[str]) -> None:
    """Have one wallet pay an intent for each name, all at once."""
    gate, purse = shop.gate, HighloadWallet(public_key=PUBLIC, timeout_seconds=TIMEOUT)
    gate.devnet.give(address=purse.address.raw, amount=100 * TON)
    gate.devnet.mine_all()
    transfers = []
    for name in names:
        intent = await shop.intent(till=name, asset=COIN)
        money, target = Money(COIN_DUE, COIN.id), address_of(intent)
        transfers.append(gate.payment(target=target, money=money, memo=memo_of(intent)))
    batch = HighloadBatch(
        query=query_id(0),
        created_at=gate.devnet.now,
        transfers=transfers,
        allowance=10 * TON,
    )
    message = purse.message(batch, sign=lambda it: sign_message(it, SECRET), deploy=True)
    gate.devnet.send(message=message.to_boc())
    await shop.settle_down()
