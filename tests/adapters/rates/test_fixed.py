from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from adapters.memory.clock import FakeClock
from adapters.rates.fixed import FixedRates
from tests.builders import USD, USDT
from tests.contracts.rates import RateSourceContract

if TYPE_CHECKING:
    from datetime import datetime


class TestFixedRates(RateSourceContract):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def source(self, clock: FakeClock) -> FixedRates:
        return FixedRates("operator", clock, {(USDT.id, USD.id): Decimal("0.9998")})

    @pytest.fixture
    def at(self, clock: FakeClock) -> datetime:
        return clock.now()

    async def test_a_word_given_once_never_grows_old(
        self, source: FixedRates, clock: FakeClock
    ) -> None:
        first = await source.observe(asset=USDT, currency=USD)
        later = clock.advance(days=400)

        again = await source.observe(asset=USDT, currency=USD)

        assert first.rate == again.rate == Decimal("0.9998")
        assert again.observed_at == later
