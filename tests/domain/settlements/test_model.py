from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.settlements.model import SettlementState, SettlementTransitionRefused
from domain.shared.ids import PayoutId
from domain.shared.money import AssetMismatch
from tests.builders import a_settlement, coins, usdt

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.settlements.model import Settlement

VERBS: dict[str, Callable[[Settlement], Settlement]] = {
    "add": lambda it: it.add(usdt(5)),
    "close": lambda it: it.close(),
    "approve": lambda it: it.approve(payout_id=PayoutId("po_01")),
    "try_again": lambda it: it.try_again(payout_id=PayoutId("po_02")),
    "pay_out": lambda it: it.pay_out(),
}
ALLOWED = {
    (SettlementState.OPEN, "add"): SettlementState.OPEN,
    (SettlementState.OPEN, "close"): SettlementState.READY,
    (SettlementState.READY, "approve"): SettlementState.APPROVED,
    (SettlementState.APPROVED, "try_again"): SettlementState.APPROVED,
    (SettlementState.APPROVED, "pay_out"): SettlementState.PAID_OUT,
}


@pytest.mark.parametrize("state", SettlementState)
@pytest.mark.parametrize("verb", VERBS)
def test_a_settlement_goes_where_it_may_and_nowhere_else(
    state: SettlementState, verb: str
) -> None:
    settlement = a_settlement(state=state)
    after = ALLOWED.get((state, verb))
    if after is not None:
        assert VERBS[verb](settlement).state is after
        return
    with pytest.raises(SettlementTransitionRefused) as refusal:
        VERBS[verb](settlement)
    assert (refusal.value.id, refusal.value.state) == (settlement.id, state)


def test_an_open_settlement_adds_up() -> None:
    assert a_settlement(money=usdt(100)).add(usdt(5)).money == usdt(105)
    with pytest.raises(AssetMismatch):
        a_settlement().add(coins(5))


def test_a_settlement_names_its_newest_payout() -> None:
    approved = a_settlement().close().approve(payout_id=PayoutId("po_01"))

    assert approved.payout_id == "po_01"
    assert approved.try_again(payout_id=PayoutId("po_02")).pay_out().payout_id == "po_02"
