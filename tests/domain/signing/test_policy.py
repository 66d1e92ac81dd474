# What a test changes may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest

from domain.shared.money import AssetId, ChainId, Money
from domain.signing.model import FEES, Act, Limit, Movement, Policy, Reading, day_of

CHAIN = ChainId("eip155:56")
COIN, TOKEN = AssetId("eip155:56/slip44:60"), AssetId("eip155:56/erc20:0x" + "5" * 40)
ADA, BOB = "0x" + "a" * 40, "0x" + "b" * 40

POLICY = Policy(
    chain=CHAIN,
    acts=frozenset({Act.PAYOUT, Act.RELEASE, Act.REFUND}),
    limits={
        TOKEN: Limit(asset=TOKEN, per_transaction=100, per_day=250),
        COIN: Limit(asset=COIN, per_transaction=9, per_day=20),
    },
    fee_max=50,
    fees_per_day=120,
    destinations=frozenset({ADA}),
)


def moving(amount: int = 100, *, act: Act = Act.PAYOUT, **changes: Any) -> Movement:
    return attrs.evolve(Movement(act, Money(amount, TOKEN), ADA), **changes)


def reading(*movements: Movement, fee: int = 50, chain: str = CHAIN) -> Reading:
    return Reading(
        chain=ChainId(chain), movements=movements, fee=Money(fee, COIN), slot=f"{chain}/1"
    )


@pytest.mark.parametrize(
    "fine",
    [
        reading(moving()),
        reading(moving(0)),
        reading(moving(50), moving(50)),
        reading(moving(act=Act.RELEASE)),
        # The chain knows whom a refund goes to.
        reading(moving(act=Act.REFUND, target=None)),
        reading(moving(money=Money(9, COIN))),
    ],
)
def test_what_is_within_the_policy_meets_no_objection(fine: Reading) -> None:
    assert POLICY.objection(fine) is None


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (reading(moving(), chain="eip155:1"), "is for eip155:1"),
        (reading(moving(), fee=51), "may cost 51"),
        (reading(moving(101)), "moves 101"),
        (reading(moving(50), moving(51)), "moves 101"),
        (reading(moving(money=Money(10, COIN))), "moves 10"),
        (reading(moving(target=BOB)), f"pays {BOB}"),
        (reading(moving(), moving(1, target=BOB)), f"pays {BOB}"),
        (reading(moving(act=Act.RELEASE, target=BOB)), f"pays {BOB}"),
        (reading(moving(act=Act.SWEEP)), "is a sweep"),
        (reading(moving(-1)), "less than nothing"),
        (reading(moving(money=Money(1, AssetId(TOKEN[:-1] + "6")))), "has no limit"),
    ],
)
def test_what_is_not_meets_one(wrong: Reading, why: str) -> None:
    objection = POLICY.objection(wrong)

    assert objection is not None
    assert why in objection


def test_a_little_coin_for_gas_goes_to_anybody() -> None:
    policy = attrs.evolve(POLICY, acts=POLICY.acts | {Act.GAS}, gas_max=5)

    assert policy.objection(reading(moving(money=Money(5, COIN), target=BOB))) is None
    assert policy.objection(reading(moving(money=Money(6, COIN), target=BOB)))
    assert policy.objection(reading(moving(5, target=BOB)))
    assert POLICY.objection(reading(moving(money=Money(1, COIN), target=BOB)))


def test_who_signs_for_gas_alone_pays_nobody_else() -> None:
    policy = attrs.evolve(POLICY, acts=frozenset({Act.GAS}), gas_max=5, destinations=None)

    assert policy.objection(reading(moving(money=Money(5, COIN)))) is None
    assert policy.objection(reading(moving(money=Money(6, COIN))))


def test_without_a_list_anybody_is_paid() -> None:
    anybody = attrs.evolve(POLICY, destinations=None)

    assert anybody.objection(reading(moving(target=BOB))) is None


@pytest.mark.parametrize(
    ("spent", "why"),
    [
        ({TOKEN: 250, COIN: 20, FEES + COIN: 120}, None),
        ({TOKEN: 251}, "251 of"),
        ({COIN: 21}, "21 of"),
        ({FEES + COIN: 121}, "121 of fees"),
        ({}, None),
    ],
)
def test_a_day_has_limits_of_its_own(spent: dict[str, int], why: str | None) -> None:
    objection = POLICY.objection_today(spent)

    assert objection is None if why is None else why in (objection or "")


def test_a_transaction_spends_what_it_moves_and_its_fee() -> None:
    both = reading(moving(1), moving(2), moving(money=Money(3, COIN)), fee=4)

    assert both.totals == {TOKEN: 3, COIN: 3, FEES + COIN: 4}


def test_a_day_is_one_of_utc() -> None:
    east = timezone(timedelta(hours=8))

    assert day_of(datetime(2026, 3, 2, 7, 59, tzinfo=east)) == "2026-03-01"
    assert day_of(datetime(2026, 3, 2, tzinfo=UTC)) == "2026-03-02"
