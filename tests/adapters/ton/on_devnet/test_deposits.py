"""What is seen to come in: whose it is, what it is worth, and what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.ton.addresses import TonAddress
from adapters.ton.internal import InternalMessage
from adapters.ton.messages import Excesses, InternalTransfer, TransferNotification, comment
from adapters.ton.transactions import change
from domain.chains.instructions import FundGas, SweepDeposit
from domain.chains.model import Transfer, WalletCharged
from domain.shared.money import Money
from tests.adapters.ton.on_devnet.gateway import COIN, TON, USDT, coins, tokens
from tests.contracts.chain import everything, included, send

if TYPE_CHECKING:
    from domain.chains.instructions import Instruction
    from tests.adapters.ton.on_devnet.gateway import Gateway

DEPOSIT = 5
YEAR = 365 * 24 * 3600


@pytest.fixture(params=["hot wallet", "deposit wallet"])
def target(request: pytest.FixtureRequest, gate: Gateway) -> str:
    return gate.sender.sender if request.param == "hot wallet" else gate.deposit(DEPOSIT)


async def deployed(gate: Gateway, target: str | None = None) -> None:
    """Have a wallet send something, so that it has code that runs; look from there on."""
    await included(gate, await send(gate, coins(1, gate.somebody("Ada"))))
    if target == gate.deposit(DEPOSIT):
        await given_gas(gate, target)
        sweep = SweepDeposit(Money(1, COIN.id), target, DEPOSIT)
        assert (await included(gate, await send(gate, sweep))).succeeded
    gate.first_block = gate.devnet.head.seqno + 1


async def given_gas(gate: Gateway, address: str) -> None:
    await included(gate, await send(gate, FundGas(Money(TON, COIN.id), address)))


async def transfers(gate: Gateway) -> list[Transfer]:
    return [it.fact for it in await everything(gate) if isinstance(it.fact, Transfer)]


@pytest.mark.parametrize("forward", [0, 1, TON // 10])
async def test_jettons_are_one_payment_whatever_coins_ride_with_them(
    gate: Gateway, target: str, forward: int
) -> None:
    await deployed(gate)
    paid = gate.payment(target=target, money=Money(70, USDT.id), memo="order 7", forward=forward)
    gate.act_all(1, paid)
    found = await transfers(gate)
    payment = Transfer(Money(70, USDT.id), gate.payer, target, memo="order 7")
    assert found == [payment]


async def test_two_payments_in_one_block(gate: Gateway, target: str) -> None:
    gate.first_block = gate.devnet.head.seqno + 1
    gate.mint(gate.admin.address, 1_000)
    mine = gate.payment(target=target, money=Money(TON, COIN.id), memo="one")
    other = gate.payment(target=target, money=Money(TON, COIN.id), memo="two")
    gate.act(1, mine)
    gate.act(0, other)
    gate.devnet.mine_all()
    found = [it for it in await everything(gate) if isinstance(it.fact, Transfer)]
    assert {it.memo for it in await transfers(gate)} == {"one", "two"}
    assert len({it.block.number for it in found}) == 1
    assert len({it.key for it in found}) == 2


async def test_a_forged_notification_is_no_jetton(gate: Gateway, target: str) -> None:
    gate.first_block = gate.devnet.head.seqno + 1
    for body in (
        TransferNotification(
            query_id=1,
            amount=10**9,
            sender=gate.purse.address,
            forward_payload=comment("order 7"),
        ),
        InternalTransfer(
            query_id=1,
            amount=10**9,
            sender=gate.purse.address,
            response_address=None,
            forward_amount=0,
            forward_payload=comment("order 7"),
        ),
    ):
        forged = InternalMessage(
            destination=TonAddress.parse(target), value=5, bounce=False, body=body.to_cell()
        )
        gate.act_all(1, forged)
    found = await transfers(gate)
    assert found == [Transfer(Money(5, COIN.id), gate.payer, target)] * 2


async def test_a_forged_transfer_to_our_jetton_wallet_is_none(gate: Gateway, target: str) -> None:
    genuine = gate.payment(target=target, money=Money(1, USDT.id))
    gate.act_all(1, genuine)
    gate.first_block = gate.devnet.head.seqno + 1
    told = InternalTransfer(
        query_id=1,
        amount=10**9,
        sender=gate.purse.address,
        response_address=gate.purse.address,
        forward_amount=0,
    )
    wallet = gate.jetton.wallet(TonAddress.parse(target))
    forged = InternalMessage(destination=wallet, value=TON, bounce=True, body=told.to_cell())
    gate.act_all(1, forged)
    assert await transfers(gate) == []
    assert await gate.held(target, USDT.id) in (1, 1_000_001)


async def test_coins_that_are_said_to_be_left_over_are_a_cost_below_zero(
    gate: Gateway, target: str
) -> None:
    await deployed(gate, target)
    forged = InternalMessage(
        destination=TonAddress.parse(target),
        value=1,
        bounce=False,
        body=Excesses(query_id=0).to_cell(),
    )
    before = await gate.held(target)
    gate.act_all(1, forged)
    wallet = None if target == gate.watched else target
    gift = WalletCharged(Money(-1, COIN.id), wallet)
    assert [it.fact for it in await everything(gate)] == [gift]
    assert await gate.held(target) == before + 1
    gate.devnet.advance(seconds=YEAR)
    gate.act_all(1, forged)
    [_, charged] = [it.fact for it in await everything(gate)]
    assert isinstance(charged, WalletCharged)
    assert charged.wallet == wallet
    assert charged.cost.amount > 0
    assert await gate.held(target) == before + 1 - charged.cost.amount


async def test_what_comes_back_late_of_our_own_is_charged_once(gate: Gateway, target: str) -> None:
    instruction: Instruction = tokens(5, gate.somebody("Ada"))
    if target != gate.watched:
        gate.mint(TonAddress.parse(target), 5)
        instruction = SweepDeposit(Money(5, USDT.id), target, DEPOSIT)
    await deployed(gate, target)
    before = await gate.held(target)
    signed = await send(gate, instruction)
    gate.devnet.mine(blocks=3 if target != gate.watched else 4)
    gate.devnet.advance(seconds=20 * YEAR)
    inclusion = await included(gate, signed)
    [returned] = list(gate.transactions(TonAddress.parse(target))[-1:])
    assert change(returned) < 0
    facts = [it.fact for it in await everything(gate)]
    assert [it for it in facts if isinstance(it, WalletCharged)] == []
    assert await gate.held(target) == before - inclusion.cost.amount


async def test_gas_for_a_deposit_wallet_is_no_payment(gate: Gateway) -> None:
    gate.first_block = gate.devnet.head.seqno + 1
    address = gate.deposit(DEPOSIT)
    await given_gas(gate, address)
    assert await gate.held(address) == TON
    assert await everything(gate) == []


async def test_a_deposit_wallet_that_has_code_pays_for_taking_coins_in(gate: Gateway) -> None:
    address = gate.deposit(DEPOSIT)
    await deployed(gate, address)
    before = await gate.held(address)
    await given_gas(gate, address)
    gate.act_all(1, gate.payment(target=address, money=Money(TON, COIN.id)))

    payment = Transfer(Money(TON, COIN.id), gate.payer, address)
    [for_gas, paid, for_payment] = [it.fact for it in await everything(gate)]
    assert paid == payment
    assert isinstance(for_gas, WalletCharged)
    assert isinstance(for_payment, WalletCharged)
    assert {for_gas.wallet, for_payment.wallet} == {address}
    cost = for_gas.cost.amount + for_payment.cost.amount
    assert await gate.held(address) == before + 2 * TON - cost


async def test_what_is_sent_back_is_no_payment(gate: Gateway) -> None:
    """A wallet that runs and refuses returns the coins of a message that bounces."""
    gate.first_block = gate.devnet.head.seqno + 1
    bouncing = InternalMessage(
        destination=TonAddress.parse(gate.deposit(DEPOSIT)), value=TON, bounce=True
    )
    gate.act_all(1, bouncing)
    assert await everything(gate) == []
    assert await gate.held(gate.deposit(DEPOSIT)) == 0


async def test_jettons_of_another_master_are_none(gate: Gateway, target: str) -> None:
    fake = attrs.evolve(gate.jetton, symbol="USDT2")
    gate.act_all(0, fake.deployment(attached=TON))
    gate.first_block = gate.devnet.head.seqno + 1
    minted = fake.mint(
        owner=TonAddress.parse(target), amount=10**9, attached=TON, for_wallet=TON // 2
    )
    gate.act_all(0, minted)
    assert await everything(gate) == []
