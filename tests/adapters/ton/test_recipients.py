from __future__ import annotations

import pytest

from adapters.ton.addresses import TonAddress
from adapters.ton.recipients import TonAddresses
from domain.shared.money import ChainId
from ports.addresses import AddressRefused

MAINNET, TESTNET = ChainId("ton:-239"), ChainId("ton:-3")
THERE = TonAddress(0, bytes(range(32)))
FRIENDLY = THERE.friendly(bounceable=True)


@pytest.mark.parametrize(
    "text",
    [
        THERE.raw,
        THERE.raw.upper(),
        FRIENDLY,
        THERE.friendly(bounceable=False),
        FRIENDLY.translate(str.maketrans("-_", "+/")),
    ],
)
def test_every_spelling_of_an_account_is_one_address(text: str) -> None:
    assert TonAddresses().read(text, chain=MAINNET) == THERE.raw


def test_what_is_of_a_test_network_is_no_address_of_the_real_one() -> None:
    of_test = THERE.friendly(bounceable=False, test_only=True)

    assert TonAddresses().read(of_test, chain=TESTNET) == THERE.raw
    with pytest.raises(AddressRefused, match="test network"):
        TonAddresses().read(of_test, chain=MAINNET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        FRIENDLY[:-1],
        FRIENDLY[:10] + ("A" if FRIENDLY[10] != "A" else "B") + FRIENDLY[11:],
        THERE.raw[:-1],
        "1:" + "0" * 63 + "1",
        TonAddress(0, bytes(32)).raw,
        TonAddress(0, bytes(32)).friendly(bounceable=False),
        "0x" + "5" * 40,
    ],
)
def test_what_is_mistyped_or_nobodys_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused) as refusal:
        TonAddresses().read(text, chain=MAINNET)
    assert refusal.value.text == text
