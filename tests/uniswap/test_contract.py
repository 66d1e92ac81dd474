from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts.exchange import ExchangeContract

if TYPE_CHECKING:
    from tests.contracts.exchange import Market
    from tests.uniswap.market import GenuineMarket


class TestUniswapV2(ExchangeContract):
    @pytest.fixture
    def market(self, uniswap: GenuineMarket) -> Market:
        return uniswap
