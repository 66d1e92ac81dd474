from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.ton.deposit_wallet import Sweep
from adapters.ton.devnet.emulator import NotExecuted
from adapters.ton.external import normalized_hash
from adapters.ton.fees import (
    DEVNET,
    HIGHLOAD_GAS_INSIDE,
    HIGHLOAD_GAS_OUTSIDE,
    batch_fees,
    jetton_transfer_fee,
)
from adapters.ton.highload import HighloadBatch, HighloadWallet, query_id
from adapters.ton.internal import coin_transfer, jetton_transfer
from adapters.ton.messages import JettonTransfer, comment, read_comment
from tests.adapters.ton.on_devnet.world import PUBLIC, START, TON, World, method_id, sign

if TYPE_CHECKING:
    from adapters.ton.addresses import TonAddress
    from adapters.ton.internal import InternalMessage

WALLET = HighloadWallet(public_key=PUBLIC, timeout_seconds=3_600)
ALREADY_EXECUTED = 36
EXPIRED_OR_EARLY = 35
EXPIRED_V4 = 36
OLD_SEQNO = 33


@pytest.fixture
def world() -> World:
    world = World()
    world.give(WALLET.address, 1_000 * TON)
    return world


def payouts(world: World, count: int) -> list[InternalMessage]:
    return [
        coin_transfer(
            destination=world.wallets.at(100 + each).address,
            amount=1_000_000 + each,
            bounce=False,
            memo=f"payout {each}",
        )
        for each in range(count)
    ]


def batch(world: World, transfers: list[InternalMessage], sequence: int = 0) -> HighloadBatch:
    fees = batch_fees(transfers, world.prices(), deploy=True)
    return HighloadBatch(
        query=query_id(sequence),
        created_at=world.time,
        transfers=transfers,
        allowance=fees.allowance,
    )


def test_250_payouts_by_one_message_within_their_bound(world: World) -> None:
    transfers = payouts(world, 250)
    fees = batch_fees(transfers, world.prices(), deploy=True)
    before = world.balance(WALLET.address)
    message = WALLET.message(batch(world, transfers), sign=sign, deploy=True)
    world.send(message)
    for each in transfers:
        (received,) = world.runs(_of(each))
        assert received.value == each.value
        assert read_comment(received.body) == read_comment(each.body)
    spent = before - world.balance(WALLET.address) - sum(each.value for each in transfers)
    assert spent <= fees.total <= 3 * spent
    outside, inside = world.runs(WALLET.address)[-2:]
    assert outside.gas <= HIGHLOAD_GAS_OUTSIDE
    assert inside.gas <= HIGHLOAD_GAS_INSIDE
    assert normalized_hash(outside.message) == message.normalized_hash


@pytest.mark.parametrize("count", [1, 2, 30])
def test_the_wallet_is_not_left_with_less_than_the_bound_says(world: World, count: int) -> None:
    transfers = payouts(world, count)
    fees = batch_fees(transfers, world.prices(), deploy=True)
    wallet = attrs.evolve(WALLET, subwallet_id=77)
    world.give(wallet.address, fees.total + sum(each.value for each in transfers))
    told = batch(world, transfers)
    world.send(wallet.message(told, sign=sign, deploy=True))
    assert all(len(world.runs(_of(each))) == 1 for each in transfers)


def test_a_batch_that_the_wallet_cannot_pay_pays_nobody(world: World) -> None:
    transfers = [*payouts(world, 3), attrs.evolve(payouts(world, 4)[3], value=2_000 * TON)]
    world.send(WALLET.message(batch(world, transfers), sign=sign, deploy=True))
    assert all(not world.runs(_of(each)) for each in transfers)
    with pytest.raises(NotExecuted) as refused:
        world.send(WALLET.message(batch(world, payouts(world, 3)), sign=sign, deploy=False))
    assert refused.value.exit_code == ALREADY_EXECUTED


def test_a_transfer_that_cannot_be_paid_for_takes_the_others_back(world: World) -> None:
    transfers = payouts(world, 120)
    wallet = attrs.evolve(WALLET, subwallet_id=78)
    fees = batch_fees(transfers, world.prices(), deploy=True)
    assert fees.allowance > 80_000_000
    world.give(wallet.address, fees.before + sum(each.value for each in transfers))
    told = attrs.evolve(batch(world, transfers), allowance=0)
    world.send(wallet.message(told, sign=sign, deploy=True))
    inside = world.runs(wallet.address)[-1]
    assert (inside.source, inside.exit_code, inside.sent) == (wallet.address, 0, 0)
    assert all(not world.runs(_of(each)) for each in transfers)


def test_a_message_is_executed_once(world: World) -> None:
    message = WALLET.message(batch(world, payouts(world, 2)), sign=sign, deploy=True)
    world.send(message)
    with pytest.raises(NotExecuted) as refused:
        world.send(message)
    assert refused.value.exit_code == ALREADY_EXECUTED
    assert world.get(WALLET.address, method_id("processed?"), query_id(0), 0) == [-1]
    assert world.get(WALLET.address, method_id("processed?"), query_id(1), 0) == [0]


def test_a_query_id_is_taken_once_whatever_it_is_for(world: World) -> None:
    one, other = payouts(world, 2)
    world.send(WALLET.message(batch(world, [one], 7), sign=sign, deploy=True))
    with pytest.raises(NotExecuted) as refused:
        world.send(WALLET.message(batch(world, [other], 7), sign=sign, deploy=True))
    assert refused.value.exit_code == ALREADY_EXECUTED
    assert (len(world.runs(_of(one))), world.runs(_of(other))) == (1, [])


@pytest.mark.parametrize("sequence", [1_021, 1_022, 1_023, 8_380_414])
def test_query_ids_at_the_edges_are_accepted(world: World, sequence: int) -> None:
    transfers = payouts(world, 1)
    told = batch(world, transfers, sequence=sequence)
    world.send(WALLET.message(told, sign=sign, deploy=True))
    assert len(world.runs(_of(transfers[0]))) == 1


def test_a_message_is_taken_in_up_to_its_end_and_not_at_it(world: World) -> None:
    first = WALLET.message(batch(world, payouts(world, 1)), sign=sign, deploy=True)
    second = WALLET.message(batch(world, payouts(world, 1), 1), sign=sign, deploy=True)
    assert first.expires_at == START + 3_600
    world.time = first.expires_at - 1
    world.send(first)
    world.time = second.expires_at
    with pytest.raises(NotExecuted) as refused:
        world.send(second)
    assert refused.value.exit_code == EXPIRED_OR_EARLY


def test_a_message_of_the_future_is_not_taken_in(world: World) -> None:
    told = attrs.evolve(batch(world, payouts(world, 1)), created_at=world.time + 1)
    with pytest.raises(NotExecuted) as refused:
        world.send(WALLET.message(told, sign=sign, deploy=True))
    assert refused.value.exit_code == EXPIRED_OR_EARLY


def test_messages_land_in_any_order(world: World) -> None:
    transfers = payouts(world, 3)
    messages = [
        WALLET.message(batch(world, [each], place), sign=sign, deploy=True)
        for place, each in enumerate(transfers)
    ]
    for message in reversed(messages):
        world.send(message)
    assert all(len(world.runs(_of(each))) == 1 for each in transfers)


def test_coins_and_jettons_in_one_batch(world: World) -> None:
    world.mint(WALLET.address, 1_000)
    recipient = world.wallets.at(50).address
    told = JettonTransfer(
        query_id=1,
        amount=600,
        destination=recipient,
        response_destination=WALLET.address,
        forward_amount=1,
        forward_payload=comment("settlement 7"),
    )
    jettons = jetton_transfer(
        jetton_wallet=world.jetton.wallet(WALLET.address),
        attached=jetton_transfer_fee(told, world.prices(), limits=DEVNET),
        transfer=told,
    )
    coins = payouts(world, 1)
    world.send(WALLET.message(batch(world, [*coins, jettons]), sign=sign, deploy=True))
    assert world.jettons(recipient) == 600
    assert world.jettons(WALLET.address) == 400
    assert len(world.runs(_of(coins[0]))) == 1


def test_a_jetton_payout_to_nowhere_bounces_and_loses_nothing(world: World) -> None:
    missing = world.jetton.wallet(world.wallets.at(60).address)
    told = JettonTransfer(
        query_id=1,
        amount=1,
        destination=WALLET.address,
        response_destination=WALLET.address,
        forward_amount=0,
    )
    before = world.balance(WALLET.address)
    lost = jetton_transfer(jetton_wallet=missing, attached=10 * TON, transfer=told)
    world.send(WALLET.message(batch(world, [lost]), sign=sign, deploy=True))
    assert before - world.balance(WALLET.address) < TON // 10
    assert world.runs(WALLET.address)[-1].bounced


def test_a_sweep_takes_everything_from_a_wallet_that_was_never_used(world: World) -> None:
    wallet = world.wallets.at(7)
    world.give(wallet.address, 5 * TON)
    before = world.balance(WALLET.address)
    told = Sweep(
        message=coin_transfer(destination=WALLET.address, amount=0, bounce=False),
        seqno=0,
        valid_until=world.time + 60,
        takes_everything=True,
    )
    world.send(wallet.message(told, sign=sign))
    assert world.balance(wallet.address) == 0
    assert 5 * TON - TON // 50 < world.balance(WALLET.address) - before < 5 * TON
    assert world.runs(wallet.address)[-1].sent == 1
    with pytest.raises(NotExecuted):
        world.send(wallet.message(told, sign=sign))


def test_a_sweep_of_jettons_and_its_sequence_number_and_end(world: World) -> None:
    wallet = world.funded(8)
    world.mint(wallet.address, 900)
    told = JettonTransfer(
        query_id=3,
        amount=900,
        destination=WALLET.address,
        response_destination=WALLET.address,
        forward_amount=0,
    )
    sweep = Sweep(
        message=jetton_transfer(
            jetton_wallet=world.jetton.wallet(wallet.address),
            attached=jetton_transfer_fee(told, world.prices(), limits=DEVNET),
            transfer=told,
        ),
        seqno=0,
        valid_until=world.time + 60,
    )
    world.send(wallet.message(sweep, sign=sign))
    assert world.jettons(WALLET.address) == 900
    for wrong, exit_code in (
        (attrs.evolve(sweep, seqno=0), OLD_SEQNO),
        (attrs.evolve(sweep, seqno=1, valid_until=world.time), EXPIRED_V4),
    ):
        with pytest.raises(NotExecuted) as refused:
            world.send(wallet.message(wrong, sign=sign))
        assert refused.value.exit_code == exit_code


def _of(message: InternalMessage) -> TonAddress:
    return message.destination
