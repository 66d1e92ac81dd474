from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytoniq_core import Address
from pytoniq_core.crypto.crc import crc16

from adapters.ton.addresses import FriendlyAddress, NotATonAddress, TonAddress, canonical

# The example of https://docs.ton.org/v3/documentation/smart-contracts/addresses, and Tether's
# jetton on the main network.
RAW = "-1:fcb91a3a3816d0f7b8c2c76108b8a9bc5a6b7a55bd79f8ab101c52db29232260"
FRIENDLY = "Uf_8uRo6OBbQ97jCx2EIuKm8Wmt6Vb15-KsQHFLbKSMiYG-9"
TETHER = "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs"

addresses = st.builds(TonAddress, st.sampled_from([0, -1]), st.binary(min_size=32, max_size=32))


def test_the_documentation_s_example() -> None:
    address = TonAddress.parse(FRIENDLY)
    assert address.raw == RAW
    assert address.friendly(bounceable=False) == FRIENDLY
    assert FriendlyAddress.parse(FRIENDLY).is_bounceable is False


def test_a_jetton_of_the_main_network() -> None:
    parsed = FriendlyAddress.parse(TETHER)
    assert parsed.is_bounceable
    assert not parsed.is_test_only
    assert parsed.address.friendly(bounceable=True) == TETHER
    assert canonical(TETHER) == Address(TETHER).to_str(is_user_friendly=False)


def test_the_ordinary_alphabet_of_base64_is_read_too() -> None:
    assert canonical(FRIENDLY.replace("_", "/").replace("-", "+")) == RAW


def test_raw_is_stored_in_lower_case() -> None:
    assert canonical(RAW.upper()) == RAW


@given(addresses, st.booleans(), st.booleans())
def test_what_is_shown_is_read_back(
    address: TonAddress,
    bounceable: bool,  # noqa: FBT001 - given by hypothesis.
    test_only: bool,  # noqa: FBT001 - as above.
) -> None:
    shown = address.friendly(bounceable=bounceable, test_only=test_only)
    assert FriendlyAddress.parse(shown) == FriendlyAddress(address, bounceable, test_only)
    assert shown == address.to_pytoniq().to_str(is_bounceable=bounceable, is_test_only=test_only)
    assert TonAddress.parse(address.raw) == address == TonAddress.of(address.to_pytoniq())


@given(addresses, st.integers(0, 47), st.sampled_from("AZaz09-_"))
def test_one_wrong_character_is_noticed(address: TonAddress, place: int, letter: str) -> None:
    shown = address.friendly(bounceable=True)
    wrong = shown[:place] + letter + shown[place + 1 :]
    if wrong != shown:
        with pytest.raises(NotATonAddress):
            TonAddress.parse(wrong)


@given(st.text())
def test_no_text_does_anything_else_than_be_refused(text: str) -> None:
    with pytest.raises(NotATonAddress):
        TonAddress.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "0:", "0:" + "0" * 63, "1:" + "0" * 64, "00:" + "0" * 64, " " + RAW, RAW + "\n",
     "0:" + "\u0660" * 64, FRIENDLY[:-1], FRIENDLY + "A", "=" * 48],
)  # fmt: skip
def test_what_is_nearly_an_address_is_none(text: str) -> None:
    with pytest.raises(NotATonAddress) as refused:
        TonAddress.parse(text)
    assert refused.value.text == text


def test_a_tag_that_means_nothing_and_a_workchain_that_is_not_there() -> None:
    for changed in (b"\x12\x00", b"\x11\x05"):
        content = changed + bytes(32)
        with pytest.raises(NotATonAddress):
            TonAddress.parse(urlsafe_b64encode(content + crc16(content)).decode())


def test_an_address_is_made_of_what_there_is() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        TonAddress(0, bytes(31))
    with pytest.raises(ValueError, match="workchain"):
        TonAddress(1, bytes(32))
