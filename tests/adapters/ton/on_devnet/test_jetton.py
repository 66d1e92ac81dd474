from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.ton.contracts.jetton import (
    EXIT_BALANCE,
    EXIT_LOCKED,
    EXIT_NOT_ENOUGH_GAS,
    EXIT_NOT_OWNER,
    EXIT_NOT_VALID_WALLET,
    Locked,
)
from adapters.ton.fees import DEVNET, jetton_transfer_fee
from adapters.ton.internal import InternalMessage, jetton_transfer
from adapters.ton.messages import (
    Burn,
    Excesses,
    InternalTransfer,
    JettonTransfer,
    TransferNotification,
    comment,
    read_comment,
)
from tests.adapters.ton.on_devnet.world import TON, World, address_of, argument, method_id

if TYPE_CHECKING:
    from adapters.ton.addresses import TonAddress
    from adapters.ton.deposit_wallet import DepositWallet

SUPPLY = 1_000_000


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> DepositWallet:
    wallet = world.funded(1)
    world.mint(wallet.address, SUPPLY)
    return wallet


@pytest.fixture
def bob(world: World) -> DepositWallet:
    return world.wallets.at(2)


def to_bob(
    alice: DepositWallet, bob: DepositWallet, amount: int = 300, memo: str = "memo"
) -> JettonTransfer:
    return JettonTransfer(
        query_id=5,
        amount=amount,
        destination=bob.address,
        response_destination=alice.address,
        forward_amount=1,
        forward_payload=comment(memo),
    )


def transfer(
    world: World, alice: DepositWallet, told: JettonTransfer, attached: int = TON // 10
) -> None:
    source = world.jetton.wallet(alice.address)
    world.send_from(alice, jetton_transfer(jetton_wallet=source, attached=attached, transfer=told))


def supply(world: World) -> int:
    told = world.get(world.jetton.minter, method_id("get_jetton_data"))
    assert address_of(told[2]) == world.admin.address
    assert told[1] == -1
    assert isinstance(told[0], int)
    return told[0]


def test_what_is_minted_is_there(world: World, alice: DepositWallet) -> None:
    assert world.jettons(alice.address) == supply(world) == SUPPLY


def test_the_minter_names_the_wallets_that_are_computed_here(
    world: World, alice: DepositWallet, bob: DepositWallet
) -> None:
    for owner in (alice, bob):
        told = world.get(
            world.jetton.minter, method_id("get_wallet_address"), argument(owner.address)
        )
        assert address_of(told[0]) == world.jetton.wallet(owner.address)


def test_a_transfer_arrives_with_its_comment_and_returns_what_is_left(
    world: World, alice: DepositWallet, bob: DepositWallet
) -> None:
    transfer(world, alice, to_bob(alice, bob))
    assert world.jettons(bob.address) == 300
    assert world.jettons(alice.address) == SUPPLY - 300
    notified = world.runs(bob.address)[-1]
    assert notified.source == world.jetton.wallet(bob.address)
    told = TransferNotification.parse(notified.body)
    assert told is not None
    assert (told.amount, told.sender, told.query_id) == (300, alice.address, 5)
    assert read_comment(told.forward_payload) == "memo"
    taken_in = world.runs(world.jetton.wallet(bob.address))[-1]
    moved = InternalTransfer.parse(taken_in.body)
    assert moved is not None
    assert (moved.amount, moved.sender) == (300, alice.address)
    returned = world.runs(alice.address)[-1]
    assert Excesses.parse(returned.body) == Excesses(query_id=5)


def test_a_transfer_without_forward_amount_notifies_nobody(
    world: World, alice: DepositWallet, bob: DepositWallet
) -> None:
    told = JettonTransfer(
        query_id=1,
        amount=1,
        destination=bob.address,
        response_destination=None,
        forward_amount=0,
    )
    transfer(world, alice, told)
    assert world.jettons(bob.address) == 1
    assert world.runs(bob.address) == []


@pytest.mark.parametrize("memo", ["", "order-42", "x" * 2_000])
def test_the_fee_that_is_computed_is_enough_and_not_much_more(
    world: World, alice: DepositWallet, bob: DepositWallet, memo: str
) -> None:
    told = to_bob(alice, bob, memo=memo)
    fee = jetton_transfer_fee(told, world.prices(), limits=DEVNET)
    transfer(world, alice, told, attached=fee // 2)
    source = world.jetton.wallet(alice.address)
    assert world.runs(source)[-1].exit_code == EXIT_NOT_ENOUGH_GAS
    transfer(world, alice, told, attached=fee)
    assert world.jettons(bob.address) == 300
    rent = world.prices().storage.cost(DEVNET.stored, seconds=DEVNET.rent_seconds)
    assert world.balance(world.jetton.wallet(bob.address)) >= rent
    assert world.runs(world.jetton.wallet(bob.address))[-1].gas <= DEVNET.gas_of_receiving
    sending = [each for each in world.runs(source) if each.sent]
    assert sending[-1].gas <= DEVNET.gas_of_sending


@pytest.mark.parametrize("amount", [SUPPLY + 1, 1 << 100])
def test_more_than_there_is_stays(
    world: World, alice: DepositWallet, bob: DepositWallet, amount: int
) -> None:
    transfer(world, alice, to_bob(alice, bob, amount=amount))
    assert exit_of_refusal(world, alice) == EXIT_BALANCE
    assert world.jettons(alice.address) == SUPPLY


def test_nobody_else_transfers(world: World, alice: DepositWallet) -> None:
    thief = world.funded(3)
    told = to_bob(thief, thief)
    source = world.jetton.wallet(alice.address)
    world.send_from(
        thief, jetton_transfer(jetton_wallet=source, attached=TON // 10, transfer=told)
    )
    assert exit_of_refusal(world, alice) == EXIT_NOT_OWNER
    assert world.jettons(alice.address) == SUPPLY


def test_a_forged_internal_transfer_credits_nothing(world: World, alice: DepositWallet) -> None:
    thief = world.funded(3)
    forged = InternalTransfer(
        query_id=1, amount=10**9, sender=alice.address, response_address=None, forward_amount=0
    )
    world.send_from(
        thief,
        InternalMessage(
            destination=world.jetton.wallet(alice.address),
            value=TON // 10,
            bounce=True,
            body=forged.to_cell(),
        ),
    )
    assert exit_of_refusal(world, alice) == EXIT_NOT_VALID_WALLET
    assert world.jettons(alice.address) == SUPPLY


def test_a_locked_wallet_sends_nothing(
    world: World, alice: DepositWallet, bob: DepositWallet
) -> None:
    lock(world, alice, Locked.OUTGOING)
    transfer(world, alice, to_bob(alice, bob))
    assert exit_of_refusal(world, alice) == EXIT_LOCKED
    assert world.jettons(alice.address) == SUPPLY
    lock(world, alice, Locked.NOTHING)
    transfer(world, alice, to_bob(alice, bob))
    assert world.jettons(bob.address) == 300


def test_what_goes_to_a_locked_wallet_comes_back(
    world: World, alice: DepositWallet, bob: DepositWallet
) -> None:
    lock(world, bob, Locked.INCOMING)
    transfer(world, alice, to_bob(alice, bob))
    assert exit_of_refusal(world, bob) == EXIT_LOCKED
    assert world.jettons(bob.address) == 0
    assert world.jettons(alice.address) == SUPPLY
    world.mint(bob.address, 50)
    assert supply(world) == SUPPLY


def test_only_the_minter_locks_and_only_its_admin_tells_it_to(
    world: World, alice: DepositWallet
) -> None:
    thief = world.funded(3)
    order = world.jetton.lock(
        owner=alice.address, status=Locked.OUTGOING, attached=TON, for_wallet=TON // 10
    )
    world.send_from(thief, order)
    assert refusals(world, world.jetton.minter)[-1] == EXIT_NOT_OWNER
    minted = world.jetton.mint(owner=thief.address, amount=5, attached=TON, for_wallet=TON // 10)
    world.send_from(thief, minted)
    assert refusals(world, world.jetton.minter)[-1] == EXIT_NOT_OWNER
    assert supply(world) == SUPPLY
    assert world.get(world.jetton.wallet(alice.address), method_id("get_status")) == [0]


def test_what_is_burned_is_gone(world: World, alice: DepositWallet) -> None:
    body = Burn(query_id=9, amount=400, response_destination=alice.address).to_cell()
    world.send_from(
        alice,
        InternalMessage(
            destination=world.jetton.wallet(alice.address),
            value=TON // 10,
            bounce=True,
            body=body,
        ),
    )
    assert world.jettons(alice.address) == supply(world) == SUPPLY - 400
    returned = world.runs(alice.address)[-1]
    assert Excesses.parse(returned.body) == Excesses(query_id=9)


def lock(world: World, wallet: DepositWallet, status: Locked) -> None:
    order = world.jetton.lock(
        owner=wallet.address, status=status, attached=TON, for_wallet=TON // 10
    )
    world.send_from(world.admin, order)
    told = world.get(world.jetton.wallet(wallet.address), method_id("get_status"))
    assert told == [status.value]


def refusals(world: World, address: TonAddress) -> list[int]:
    return [each.exit_code for each in world.runs(address) if each.exit_code]


def exit_of_refusal(world: World, owner: DepositWallet) -> int:
    return refusals(world, world.jetton.wallet(owner.address))[-1]
