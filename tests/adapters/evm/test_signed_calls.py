# What a test changes may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.abi import address_word, selector, uint_word
from adapters.evm.escrow_abi import PAY, REFUND, RELEASE, RELEASE_BATCH
from adapters.evm.names import ZERO_ADDRESS
from adapters.evm.release_batches import call_with_batch
from adapters.evm.signed_calls import EvmTransactionReader
from domain.shared.money import ChainId, Money, asset_id
from domain.signing.model import Act, Limit, Movement, Policy
from ports.signer import SigningRefused
from tests.adapters.evm.test_signer import a_transfer
from tests.builders import terms_of

if TYPE_CHECKING:
    from domain.signing.model import Reading

CHAIN = ChainId("eip155:56")
HOT, ESCROW, TOKEN, ADA, DEPOSIT = ("0x" + digit * 40 for digit in "1e5ad")
COIN, USDT = asset_id(f"{CHAIN}/slip44:60"), asset_id(f"{CHAIN}/erc20:{TOKEN}")
READER = EvmTransactionReader(CHAIN, escrow_contract=ESCROW, hot_wallet=HOT)


def call(function: str, *words: bytes) -> bytes:
    return selector(function) + b"".join(words)


def terms(token: str = TOKEN, amount: int = 25) -> list[bytes]:
    members = [b"ref".ljust(32, b"\0"), address_word(ADA), address_word(token), uint_word(amount)]
    return [*members, *(uint_word(number) for number in (250, 1, 2, 3))]


def read(*, sender: str = HOT, **changes: Any) -> Reading:
    return READER.read(a_transfer(**({"value": 0} | changes)).encode(), sender=sender)


TRANSFER = call("transfer(address,uint256)", address_word(ADA), uint_word(25))


@pytest.mark.parametrize(
    ("changes", "movement"),
    [
        (
            {"target": ADA, "value": 7, "data": b""},
            Movement(Act.PAYOUT, Money(7, COIN), ADA),
        ),
        ({"target": TOKEN, "data": TRANSFER}, Movement(Act.PAYOUT, Money(25, USDT), ADA)),
        (
            {"target": ESCROW, "data": call(RELEASE, *terms())},
            Movement(Act.RELEASE, Money(25, USDT), ADA),
        ),
        (
            {"target": ESCROW, "data": call(REFUND, *terms(ZERO_ADDRESS))},
            Movement(Act.REFUND, Money(25, COIN), None),
        ),
        (
            {
                "sender": DEPOSIT,
                "target": TOKEN,
                "data": call("transfer(address,uint256)", address_word(HOT), uint_word(25)),
            },
            Movement(Act.SWEEP, Money(25, USDT), HOT),
        ),
    ],
)
def test_what_the_gateway_sends_is_understood(changes: Any, movement: Movement) -> None:
    assert read(**changes).movements == (movement,)


def test_each_release_of_a_batch_is_understood() -> None:
    several = call(RELEASE_BATCH, uint_word(32), uint_word(2), *terms(), *terms(ZERO_ADDRESS, 7))

    assert read(target=ESCROW, data=several).movements == (
        Movement(Act.RELEASE, Money(25, USDT), ADA),
        Movement(Act.RELEASE, Money(7, COIN), ADA),
    )
    assert read(target=ESCROW, data=several).totals[USDT] == 25


def test_what_the_gateway_calls_is_read_as_what_it_means() -> None:
    batch = [terms_of(f"pi_{number}") for number in range(3)]

    movements = read(target=ESCROW, data=call_with_batch(batch)).movements

    assert [(it.target, it.money.amount) for it in movements] == [
        (it.merchant, it.money.amount) for it in batch
    ]


@pytest.mark.parametrize(
    "words",
    [
        [],
        [uint_word(32)],
        [uint_word(32), uint_word(0)],
        [uint_word(64), uint_word(1), *terms()],
        [uint_word(32), uint_word(2), *terms()],
        [uint_word(32), uint_word(0), *terms()],
        [uint_word(32), uint_word(1), *terms(), bytes(32)],
        [uint_word(32), uint_word(1), *terms()[:-1]],
        [uint_word(64), bytes(32), uint_word(1), *terms()],
        [uint_word(32), uint_word(1), *terms()[:2], b"\1" * 32, *terms()[3:]],
    ],
)
def test_a_batch_that_is_written_otherwise_is_refused(words: list[bytes]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (refusals of several kinds, all of values)
        read(target=ESCROW, data=call(RELEASE_BATCH, *words))


@pytest.mark.parametrize("changes", [{"target": ADA}, {"target": ESCROW, "value": 1}])
def test_a_batch_goes_to_our_contract_and_takes_no_coin_along(changes: Any) -> None:
    several = call(RELEASE_BATCH, uint_word(32), uint_word(1), *terms())
    assert read(target=ESCROW, data=several).movements

    with pytest.raises(SigningRefused):
        read(**({"target": ESCROW, "data": several} | changes))


def test_a_policy_sums_a_batch_and_looks_at_each_of_its_merchants() -> None:
    reading = read(
        target=ESCROW,
        data=call(RELEASE_BATCH, uint_word(32), uint_word(2), *terms(), *terms()),
    )
    policy = Policy(
        chain=CHAIN,
        acts=frozenset({Act.RELEASE}),
        limits={USDT: Limit(asset=USDT, per_transaction=50)},
        fee_max=10**18,
        destinations=frozenset({ADA}),
    )

    assert policy.objection(reading) is None
    less = attrs.evolve(policy, limits={USDT: Limit(asset=USDT, per_transaction=49)})
    assert "over the limit" in str(less.objection(reading))
    others = attrs.evolve(policy, destinations=frozenset({HOT}))
    assert "not on the list" in str(others.objection(reading))
    assert "does not sign" in str(attrs.evolve(policy, acts=frozenset()).objection(reading))


def test_what_takes_the_place_of_another_moves_nothing() -> None:
    cancelling = read(target=HOT, value=0, data=b"", nonce=9)

    assert cancelling.movements == ()
    assert cancelling.slot == read(target=TOKEN, data=TRANSFER, nonce=9).slot
    assert read(target=HOT, value=1, data=b"").movements
    assert read(target=ADA, value=0, data=b"").movements


def test_fee_and_slot_are_read() -> None:
    dear = read(target=TOKEN, data=TRANSFER, nonce=9)

    assert dear.fee == Money(60_000 * 3 * 10**9, COIN)
    assert dear.slot == f"{CHAIN}/{HOT}/9"
    assert read(target=TOKEN, data=TRANSFER, nonce=9, tip_per_gas=None).slot == dear.slot
    assert read(target=TOKEN, data=TRANSFER, nonce=9, sender=DEPOSIT).slot != dear.slot


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_id": 1, "target": TOKEN, "data": TRANSFER},
        {"target": TOKEN, "data": TRANSFER, "value": 1},
        {"target": TOKEN, "data": TRANSFER + b"\0"},
        {"target": TOKEN, "data": TRANSFER[:-1]},
        {"target": TOKEN, "data": TRANSFER[:4]},
        {"target": TOKEN, "data": TRANSFER + bytes(32)},
        {"target": TOKEN, "data": TRANSFER[:4] + b"\1" + TRANSFER[5:]},
        {"target": TOKEN, "data": b"\0"},
        {"target": TOKEN, "data": call("approve(address,uint256)", address_word(ADA), bytes(32))},
        {"target": ESCROW, "data": call(PAY, *terms())},
        {"target": ESCROW, "data": call("setTreasury(address)", address_word(ADA))},
        {"target": ESCROW, "data": call(RELEASE, *terms()[:-1])},
        {"target": ESCROW, "data": call(RELEASE, *terms(), bytes(32))},
        {"target": ESCROW, "value": 1, "data": call(RELEASE, *terms())},
        {"target": ADA, "data": call(RELEASE, *terms())},
    ],
)
def test_whatever_else_it_is_is_refused(changes: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (refusals of several kinds, all of values)
        read(**changes)


def test_without_a_contract_no_escrow_is_signed_for() -> None:
    reader = EvmTransactionReader(CHAIN, escrow_contract=None, hot_wallet=HOT)
    unsigned = a_transfer(value=0, target=ESCROW, data=call(RELEASE, *terms())).encode()

    with pytest.raises(ValueError, match="no call that is known"):
        reader.read(unsigned, sender=HOT)
