"""What every rate source keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ports.rates import RateUnavailable
from tests.builders import COIN, USD, USDT

if TYPE_CHECKING:
    from datetime import datetime

    from ports.rates import RateSource


class RateSourceContract:
    """A suite over a source that has a rate of ``USDT`` in ``USD``, and none of ``COIN``."""

    @pytest.fixture
    def source(self) -> RateSource:
        raise NotImplementedError

    @pytest.fixture
    def at(self) -> datetime:
        """The time of day for the source."""
        raise NotImplementedError

    async def test_a_rate_is_positive_fresh_and_signed(
        self, source: RateSource, at: datetime
    ) -> None:
        observation = await source.observe(asset=USDT, currency=USD)

        assert observation.source == source.name != ""
        assert observation.rate.is_finite()
        assert observation.rate > 0
        assert abs(at - observation.observed_at) < timedelta(minutes=1)
        assert observation.observed_at.utcoffset() == timedelta(0)

    async def test_a_pair_without_a_rate_is_unavailable(self, source: RateSource) -> None:
        for asset, currency in ((COIN, USD), (USDT, COIN)):
            with pytest.raises(RateUnavailable):
                await source.observe(asset=asset, currency=currency)
