"""Addresses as people are shown them, where that is not the form in which they are stored."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from domain.shared.money import ChainId

_NOT_BOUNCEABLE: Final = 0x51
_TEST_ONLY: Final = 0x80
_TEST_NETWORK: Final = "ton:-3"


def shown(address: str, *, chain: ChainId) -> str:
    """Return an address of ours as it is shown to who pays there.

    TON's wallets take the user-friendly form (TEP-2): tag, workchain and account with their
    CRC-16/XMODEM, 36 bytes in base64 for URLs. It asks not to send money back from an account
    without a contract, which a deposit wallet is until its first sweep.
    """
    if not chain.startswith("ton:") or ":" not in address:
        return address
    workchain, _, account = address.partition(":")
    tag = _NOT_BOUNCEABLE | (_TEST_ONLY if chain == _TEST_NETWORK else 0)
    number = int(workchain).to_bytes(1, "big", signed=True)
    content = bytes([tag]) + number + bytes.fromhex(account)
    checked = content + binascii.crc_hqx(content, 0).to_bytes(2, "big")
    return base64.urlsafe_b64encode(checked).decode("ascii")
