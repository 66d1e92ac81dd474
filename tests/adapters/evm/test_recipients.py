from __future__ import annotations

import pytest

from adapters.evm.recipients import EvmAddresses
from ports.addresses import AddressRefused
from tests.builders import CHAIN

CHECKED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
"""From EIP-55's own examples."""
READ = CHECKED.lower()


@pytest.mark.parametrize("text", [CHECKED, READ, "0x" + CHECKED[2:].upper(), "0X" + CHECKED[2:]])
def test_an_address_is_read_with_or_without_its_checksum(text: str) -> None:
    assert EvmAddresses().read(text, chain=CHAIN) == READ


@pytest.mark.parametrize(
    "text",
    [
        CHECKED.replace("aA", "aa"),
        CHECKED[:-1],
        CHECKED + "0",
        CHECKED[2:],
        f" {CHECKED}",
        CHECKED[:-1] + "g",
        "0x" + "0" * 40,
        "",
        "vitalik.eth",
    ],
    ids=["a capital", "short", "long", "no 0x", "a space", "a letter", "zero", "empty", "a name"],
)
def test_what_is_mistyped_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused) as refusal:
        EvmAddresses().read(text, chain=CHAIN)
    assert refusal.value.text == text
