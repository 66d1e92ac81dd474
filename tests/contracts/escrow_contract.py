"""What every ``EscrowContracts`` keeps: other terms are another payment."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.fees.model import FeeSchedule
from tests.builders import CHAIN, COIN, USDT, address_of, coins, terms_of, usdt

if TYPE_CHECKING:
    from typing import Any

    from ports.escrow_contract import EscrowContracts

CHANGES: list[dict[str, Any]] = [
    {"contract": address_of("another")},
    {"reference": "pi_02"},
    {"merchant": address_of("another")},
    {"money": usdt(7)},
    {"money": coins(25 * 10**18)},
    {"fees": FeeSchedule(bps=101)},
    {"pay_by": terms_of().pay_by + timedelta(seconds=1)},
    {"auto_release_at": terms_of().auto_release_at + timedelta(seconds=1)},
    {"refund_until": terms_of().refund_until + timedelta(seconds=1)},
]


class EscrowContractsContract:
    @pytest.fixture
    def contracts(self) -> EscrowContracts:
        raise NotImplementedError

    def test_the_same_terms_have_the_same_id(self, contracts: EscrowContracts) -> None:
        id = contracts.escrow_id(terms_of())

        assert contracts.escrow_id(terms_of()) == id
        assert re.fullmatch("0x[0-9a-f]{64}", id)

    @pytest.mark.parametrize("changes", CHANGES, ids=lambda it: next(iter(it)))
    def test_other_terms_have_another_id(
        self, contracts: EscrowContracts, changes: dict[str, Any]
    ) -> None:
        other = terms_of(**changes)
        assert contracts.escrow_id(other) != contracts.escrow_id(terms_of())
        assert contracts.wallet_calls(other) != contracts.wallet_calls(terms_of())

    def test_a_token_is_approved_then_paid(self, contracts: EscrowContracts) -> None:
        approve, pay = contracts.wallet_calls(terms_of())

        assert (approve.purpose, pay.purpose) == ("approve", "pay")
        assert approve.target == USDT.id.removeprefix(f"{CHAIN}/erc20:")
        assert pay.target == terms_of().contract
        assert approve.value == pay.value == 0
        for call in (approve, pay):
            assert re.fullmatch("0x(?:[0-9a-f]{2})+", call.data)

    def test_the_native_coin_is_sent_along(self, contracts: EscrowContracts) -> None:
        [pay] = contracts.wallet_calls(terms_of(money=coins(9)))

        assert COIN.id.endswith("/slip44:60")
        assert (pay.purpose, pay.target, pay.value) == ("pay", terms_of().contract, 9)
