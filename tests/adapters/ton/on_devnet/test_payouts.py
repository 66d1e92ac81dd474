"""Payouts and sweeps over liteservers: what arrives, what comes back, and what all of it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.ton.addresses import TonAddress
from adapters.ton.highload import TRANSFERS_MAX
from adapters.ton.messages import TransferNotification
from domain.chains.instructions import FundGas, ReleaseEscrow, SendMoney, SweepDeposit
from domain.chains.model import Transfer, WalletCharged
from domain.shared.money import AssetId, Money
from ports.chain import ChainUnavailable, InstructionRefused, InsufficientFundsOnChain
from tests.adapters.ton.on_devnet.gateway import COIN, TON, USDT, batch, coins, tokens
from tests.builders import terms_of
from tests.contracts.chain import everything, included, send

if TYPE_CHECKING:
    from tests.adapters.ton.on_devnet.gateway import Gateway

NOBODY = {
    "no address": "somewhere",
    "mistyped": "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDt",
    "of the masterchain": "-1:" + "5" * 64,
    "of another chain": "0x" + "1" * 40,
}


async def test_coins_arrive_whole_at_a_wallet_that_is_not_deployed(gate: Gateway) -> None:
    before, target = await gate.held(gate.sender.sender), gate.somebody("Ada")

    inclusion = await included(gate, await send(gate, coins(3 * TON, target)))

    assert (inclusion.succeeded, inclusion.failed) == (True, frozenset())
    assert await gate.held(target) == 3 * TON
    spent = before - await gate.held(gate.sender.sender)
    assert spent == 3 * TON + inclusion.cost.amount


async def test_it_is_under_way_until_the_last_message_has_arrived(gate: Gateway) -> None:
    signed = await send(gate, tokens(5, gate.somebody("Ada")))
    first = gate.devnet.head.seqno + 1
    told = []
    for _ in range(8):
        gate.devnet.mine()
        [inclusion] = await gate.reader.inclusions([signed.hash])
        told.append((inclusion.settled, inclusion.shows_from - first))
    assert told == [(False, 0)] * 4 + [(True, 0)] * 4
    assert inclusion.block_number == gate.devnet.head.seqno - 3


async def test_250_payouts_of_which_one_comes_back(gate: Gateway) -> None:
    failing = gate.failing()
    targets = [gate.somebody(f"payee {number}") for number in range(TRANSFERS_MAX)]
    sends = [
        tokens(number, to) if number % 50 == 7 else coins(1_000 + number, to)
        for number, to in enumerate(targets)
    ]
    sends[133] = failing
    tokens_before = await gate.held(gate.sender.sender, USDT.id)
    before = await gate.held(gate.sender.sender)

    instruction = batch(sends)
    limit = await gate.sender.fee_limit(instruction)
    inclusion = await included(gate, await send(gate, instruction))

    assert (inclusion.succeeded, inclusion.failed) == (True, frozenset({133}))
    paid = sum(it.money.amount for it in sends if it.money.asset == COIN.id)
    assert before - await gate.held(gate.sender.sender) == paid + inclusion.cost.amount
    assert inclusion.cost <= limit
    for number in (0, 7, 249):
        assert await gate.held(targets[number], sends[number].money.asset) == (
            sends[number].money.amount
        )
    sent = sum(number for number in range(TRANSFERS_MAX) if number % 50 == 7)
    assert await gate.held(gate.sender.sender, USDT.id) == tokens_before - sent


async def test_a_payout_to_a_locked_jetton_wallet_has_no_effect(gate: Gateway) -> None:
    before = await gate.held(gate.sender.sender, USDT.id)
    inclusion = await included(gate, await send(gate, gate.failing()))
    assert (inclusion.succeeded, inclusion.settled) == (False, True)
    assert await gate.held(gate.sender.sender, USDT.id) == before


async def test_a_batch_that_cannot_be_paid_any_more_has_no_effect(gate: Gateway) -> None:
    half = coins(600 * TON, gate.somebody("Ada"))
    prepared = [await gate.sender.prepare(half) for _ in range(2)]
    signed = [
        await gate.sender.sign(each, sequence=number) for number, each in enumerate(prepared)
    ]
    for each in signed:
        await gate.sender.broadcast(each)
    ends = [await included(gate, each) for each in signed]
    assert sorted(each.succeeded for each in ends) == [False, True]
    assert await gate.held(gate.somebody("Ada")) == 600 * TON


async def test_coins_are_swept_from_a_wallet_that_was_never_used(gate: Gateway) -> None:
    address = gate.deposit(3)
    await gate.write(target=address, money=Money(2 * TON, COIN.id), memo=None)
    sweep = SweepDeposit(Money(2 * TON, COIN.id), address, 3)
    cost = await gate.sender.fee_limit(sweep)
    with pytest.raises(InsufficientFundsOnChain):
        await gate.sender.prepare(sweep)
    await included(gate, await send(gate, FundGas(cost, address)))
    inclusion = await included(gate, await send(gate, sweep))
    assert inclusion.succeeded
    assert await gate.held(address) == cost.amount - inclusion.cost.amount
    facts = [it.fact for it in await everything(gate) if isinstance(it.fact, Transfer)]
    assert [it for it in facts if it.source == address] == [
        Transfer(Money(2 * TON, COIN.id), address, gate.sender.sender)
    ]
    assert [it.money.amount for it in facts if it.target == address] == [2 * TON]


async def test_the_hot_wallets_coins_are_accounted_for_to_the_last(gate: Gateway) -> None:
    """What came, what was charged and what payouts cost is what its balance has changed by."""
    hot = gate.sender.sender
    await included(gate, await send(gate, coins(1, gate.somebody("Ada"))))
    gate.first_block = gate.devnet.head.seqno + 1
    before = await gate.held(hot)
    sent = [
        await send(gate, batch([tokens(5, gate.somebody("Ada")), coins(7, gate.somebody("Bo"))])),
        await send(gate, gate.failing()),
        await send(gate, tokens(2, gate.somebody("Cy"))),
    ]
    gate.act(1, gate.payment(target=hot, money=Money(9, USDT.id), memo="one", forward=1))
    gate.act(0, gate.payment(target=hot, money=Money(TON, COIN.id), memo="two"))
    ends = [await included(gate, each) for each in sent]
    gate.devnet.mine_all()

    facts = [it.fact for it in await everything(gate)]
    came = [it for it in facts if isinstance(it, Transfer) and it.target == hot]
    coins_in = sum(it.money.amount for it in came if it.money.asset == COIN.id)
    charged = sum(it.cost.amount for it in facts if isinstance(it, WalletCharged))
    cost = sum(it.cost.amount for it in ends)
    assert await gate.held(hot) == before + coins_in - charged - cost - 7
    assert {(it.money.amount, it.memo) for it in came} == {(9, "one"), (TON, "two")}
    assert charged > 0


@pytest.mark.parametrize("target", NOBODY.values(), ids=NOBODY)
async def test_who_cannot_be_paid_is_refused(gate: Gateway, target: str) -> None:
    for send_money in (coins(1, target), tokens(1, target), FundGas(Money(1, COIN.id), target)):
        with pytest.raises(InstructionRefused):
            await gate.sender.prepare(send_money)


async def test_what_cannot_be_sent_is_refused(gate: Gateway) -> None:
    ada = gate.somebody("Ada")
    for instruction in (
        coins(0, ada),
        coins(1, gate.sender.sender),
        SendMoney(Money(1, AssetId("eip155:1/slip44:60")), ada),
        batch([]),
        ReleaseEscrow(terms_of()),
        SweepDeposit(Money(1, COIN.id), gate.deposit(0), 2**32),
    ):
        with pytest.raises(InstructionRefused):
            await gate.sender.prepare(instruction)


async def test_more_coins_than_there_are_wait(gate: Gateway) -> None:
    all_of_it = coins(await gate.held(gate.sender.sender), gate.somebody("Ada"))
    with pytest.raises(InsufficientFundsOnChain) as lack:
        await gate.sender.prepare(all_of_it)
    assert lack.value.asset == COIN.id


async def test_a_server_that_does_not_answer_is_no_refusal(gate: Gateway) -> None:
    prepared = await gate.sender.prepare(coins(1, gate.somebody("Ada")))
    signed = await gate.sender.sign(prepared, sequence=0)
    gate.devnet.liteservers[0].faults.frozen = True
    with pytest.raises(ChainUnavailable):
        await gate.sender.broadcast(signed)
    with pytest.raises(ChainUnavailable):
        await gate.sender.prepare(coins(1, gate.somebody("Ada")))


async def test_who_is_paid_in_jettons_is_told_so(gate: Gateway) -> None:
    payee = gate.somebody("Ada")
    await included(gate, await send(gate, tokens(5, payee)))
    [told] = gate.transactions(TonAddress.parse(payee))
    notified = TransferNotification.parse(told.in_msg.body) if told.in_msg else None
    assert notified is not None
    assert (notified.amount, notified.sender) == (5, TonAddress.parse(gate.watched))
