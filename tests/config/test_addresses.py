from __future__ import annotations

import pytest

from config.addresses import addresses
from domain.shared.money import ChainId
from ports.addresses import AddressRefused

EVM, TON = "0x" + "5f" * 20, "0:" + "5f" * 32


def test_each_chain_reads_its_own_addresses_alone() -> None:
    reads = addresses().read

    assert reads(EVM, chain=ChainId("eip155:56")) == EVM
    assert reads(TON, chain=ChainId("ton:-239")) == TON
    for text, chain in ((EVM, "ton:-239"), (TON, "eip155:56"), (EVM, "bip122:0")):
        with pytest.raises(AddressRefused):
            reads(text, chain=ChainId(chain))
