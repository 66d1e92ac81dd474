from __future__ import annotations

import pytest

from adapters.ton.addresses import TonAddress
from domain.chains.addresses import shown
from domain.shared.money import ChainId

RAW = "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe"


@pytest.mark.parametrize(
    ("chain", "test_only"), [("ton:-239", False), ("ton:-3", True)], ids=["main", "test"]
)
@pytest.mark.parametrize("raw", [RAW, "-1:" + "0f" * 32])
def test_tons_are_shown_as_its_wallets_take_them(chain: str, raw: str, *, test_only: bool) -> None:
    expected = TonAddress.parse(raw).friendly(bounceable=False, test_only=test_only)

    assert shown(raw, chain=ChainId(chain)) == expected
    assert TonAddress.parse(expected).raw == raw


@pytest.mark.parametrize(("chain", "address"), [("eip155:56", "0x" + "a1" * 20), ("ton:-3", "")])
def test_others_are_shown_as_they_are_stored(chain: str, address: str) -> None:
    assert shown(address, chain=ChainId(chain)) == address
