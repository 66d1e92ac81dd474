"""A deposit's way, and where an address counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.customers.model import DepositStatus, DepositTransitionRefused
from domain.customers.reach import reach_of
from domain.fees.model import FeeSchedule
from domain.shared.modes import Mode
from domain.shared.money import ChainId
from tests.builders import NOON, address_of, usdt
from tests.contracts.customers import a_deposit

if TYPE_CHECKING:
    from domain.customers.model import Deposit

LATER = NOON + timedelta(minutes=1)
PENDING, RETRACTED = DepositStatus.PENDING, DepositStatus.RETRACTED
ENDS = {DepositStatus.SUCCEEDED, DepositStatus.BELOW_MINIMUM}


def gone_on(deposit: Deposit, to: DepositStatus) -> Deposit:
    match to:
        case DepositStatus.SUCCEEDED:
            return deposit.succeed(at=LATER)
        case DepositStatus.BELOW_MINIMUM:
            return deposit.set_aside(at=LATER)
        case DepositStatus.RETRACTED:
            return deposit.retract(at=LATER)
        case DepositStatus.PENDING:
            return deposit.reappear(deposit.key, source="x", paid_at=NOON, at=LATER)


@pytest.mark.parametrize("to", DepositStatus)
@pytest.mark.parametrize("status", DepositStatus)
def test_what_is_final_stays_and_what_is_gone_can_come_again(
    status: DepositStatus, to: DepositStatus
) -> None:
    deposit = a_deposit(status=status)
    if (status, to) in {(PENDING, it) for it in (*ENDS, RETRACTED)} | {(RETRACTED, PENDING)}:
        after = gone_on(deposit, to)
        assert (after.status, after.changed_at) == (to, LATER)
        return
    with pytest.raises(DepositTransitionRefused) as refusal:
        gone_on(deposit, to)
    assert attrs.astuple(refusal.value) == (deposit.id, status, to)


@pytest.mark.parametrize(
    ("amount", "bps", "fee"),
    [(10_000, 100, 100), (9_999, 100, 99), (99, 100, 0), (1, 1000, 0), (7, 0, 0)],
)
def test_the_fee_is_rounded_down_and_kept(amount: int, bps: int, fee: int) -> None:
    deposit = a_deposit(money=usdt(amount), fees=FeeSchedule(bps=bps)).succeed(at=LATER)
    assert (deposit.fee, deposit.net) == (fee, amount - fee)


def test_nothing_is_taken_of_what_was_not_credited() -> None:
    for deposit in (a_deposit(), a_deposit().set_aside(at=LATER), a_deposit().retract(at=LATER)):
        assert (deposit.fee, deposit.net) == (None, None)


def test_what_comes_again_is_where_its_new_block_says() -> None:
    gone = a_deposit().retract(at=NOON)
    key = attrs.evolve(gone.key, position=9)
    again = gone.reappear(key, source=address_of("other"), paid_at=LATER, at=LATER)
    assert again == attrs.evolve(
        a_deposit(),
        key=key,
        source=address_of("other"),
        paid_at=LATER,
        changed_at=LATER,
    )


def test_all_evm_chains_of_a_mode_share_their_addresses_and_no_others_do() -> None:
    reaches = {
        (chain, mode): reach_of(ChainId(chain), mode)
        for chain in ("eip155:1", "eip155:137", "ton:-239", "ton:-3")
        for mode in Mode
    }
    for mode in Mode:
        assert reaches["eip155:1", mode] == reaches["eip155:137", mode]
    assert len({*reaches.values()}) == len(reaches) - len(Mode)
