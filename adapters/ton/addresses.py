"""Accounts' addresses: one form to store, and the forms that people are shown.

Stored, compared and logged is the raw form, ``0:`` and 64 hexadecimal digits in lower case. The
user-friendly form adds a checksum and two flags to the same 33 bytes, so one account has eight
spellings; what is shown is never compared.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import attrs
from attrs.validators import in_
from pytoniq_core import Address
from pytoniq_core.crypto.crc import crc16

BASECHAIN: Final = 0
MASTERCHAIN: Final = -1
ACCOUNT_BYTES: Final = 32

BOUNCEABLE: Final = 0x11
NOT_BOUNCEABLE: Final = 0x51
TEST_ONLY: Final = 0x80
"""Tags of the user-friendly form (TEP-2); the last is added to one of the first two."""

FRIENDLY_CHARACTERS: Final = 48
"""36 bytes in base64: tag 1, workchain 1, account 32, CRC-16/XMODEM 2."""

_RAW: Final = re.compile(r"(?P<workchain>0|-1):(?P<account>[0-9a-fA-F]{64})", re.ASCII)
_FRIENDLY: Final = re.compile(r"[0-9A-Za-z+/_-]{48}", re.ASCII)
_TO_URL_SAFE: Final = str.maketrans("+/", "-_")


@attrs.frozen
class NotATonAddress(ValueError):
    """The text is no address: of another form, mistyped, or of a workchain that is not there."""

    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.text[:80]!r} is no TON address: {self.why}"


@attrs.frozen(order=True)
class TonAddress:
    """An account of a workchain."""

    workchain: int = attrs.field(validator=in_((BASECHAIN, MASTERCHAIN)))
    account: bytes = attrs.field()
    """32 bytes: the hash of the account's first state, for any account with a contract."""

    @account.validator
    def _has_a_length(self, _: object, account: bytes) -> None:
        if len(account) != ACCOUNT_BYTES:
            raise ValueError(f"an account is {ACCOUNT_BYTES} bytes, not {len(account)}")

    @property
    def raw(self) -> str:
        """The form to store, ``0:`` and 64 hexadecimal digits, lower case."""
        return f"{self.workchain}:{self.account.hex()}"

    def friendly(self, *, bounceable: bool, test_only: bool = False) -> str:
        """Return the form to show, base64 for URLs.

        Args:
            bounceable: What a wallet that pays there asks for: True for contracts, whose refusal
                sends the money back; False for wallets, which may not be deployed yet.
            test_only: Whether the address is one of a test network, where real money is lost.
        """
        tag = (BOUNCEABLE if bounceable else NOT_BOUNCEABLE) | (TEST_ONLY if test_only else 0)
        content = bytes([tag]) + self.workchain.to_bytes(1, "big", signed=True) + self.account
        return base64.urlsafe_b64encode(content + crc16(content)).decode("ascii")

    def to_pytoniq(self) -> Address:
        """Return the library's value. Its own bounce flag is False and must not be relied on."""
        return Address((self.workchain, self.account))

    @classmethod
    def of(cls, address: Address) -> TonAddress:
        """Take the library's value.

        Raises:
            ValueError: its workchain does not exist.
        """
        return cls(address.wc, address.hash_part)

    @classmethod
    def parse(cls, text: str) -> TonAddress:
        """Read either form; flags are checked for being flags and forgotten.

        Raises:
            NotATonAddress: it is none.
        """
        return FriendlyAddress.parse(text).address if ":" not in text else cls.parse_raw(text)

    @classmethod
    def parse_raw(cls, text: str) -> TonAddress:
        """Read the form that is stored.

        Raises:
            NotATonAddress: it is something else.
        """
        if (match := _RAW.fullmatch(text)) is None:
            raise NotATonAddress(text, "not 0: or -1: and 64 hexadecimal digits")
        return cls(int(match["workchain"]), bytes.fromhex(match["account"]))


@attrs.frozen
class FriendlyAddress:
    """An address as somebody wrote it, with what the spelling says besides."""

    address: TonAddress
    is_bounceable: bool
    is_test_only: bool

    @classmethod
    def parse(cls, text: str) -> FriendlyAddress:
        """Read the user-friendly form (TEP-2), in either alphabet of base64.

        Raises:
            NotATonAddress: it is something else, or its checksum is wrong.
        """
        if _FRIENDLY.fullmatch(text) is None:
            raise NotATonAddress(text, f"not {FRIENDLY_CHARACTERS} characters of base64")
        try:
            content = base64.urlsafe_b64decode(text.translate(_TO_URL_SAFE))
        except binascii.Error as error:
            raise NotATonAddress(text, "not base64") from error
        body, checksum = content[:-2], content[-2:]
        if crc16(body) != checksum:
            raise NotATonAddress(text, "its checksum is wrong")
        tag, workchain = body[0], int.from_bytes(body[1:2], "big", signed=True)
        if tag & ~TEST_ONLY not in {BOUNCEABLE, NOT_BOUNCEABLE}:
            raise NotATonAddress(text, f"its tag is 0x{tag:02x}")
        if workchain not in {BASECHAIN, MASTERCHAIN}:
            raise NotATonAddress(text, f"there is no workchain {workchain}")
        return cls(
            address=TonAddress(workchain, body[2:]),
            is_bounceable=tag & ~TEST_ONLY == BOUNCEABLE,
            is_test_only=bool(tag & TEST_ONLY),
        )


def canonical(text: str) -> str:
    """Return the stored form of an address in any form.

    Raises:
        NotATonAddress: it is none.
    """
    return TonAddress.parse(text).raw
