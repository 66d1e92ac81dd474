"""What every signer keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ports.signer import Signer


class SignerContract:
    @pytest.fixture
    def signer(self) -> Signer:
        raise NotImplementedError

    @pytest.fixture
    def unsigned(self) -> list[bytes]:
        """Two different transactions as this signer takes them."""
        raise NotImplementedError

    def test_the_address_is_one(self, signer: Signer) -> None:
        assert re.fullmatch("0x[0-9a-f]{40}", signer.address)

    def test_the_same_input_gives_the_same_bytes(
        self, signer: Signer, unsigned: list[bytes]
    ) -> None:
        one, other = unsigned

        assert signer.sign_transaction(one) == signer.sign_transaction(one)
        assert signer.sign_transaction(one) != signer.sign_transaction(other)
        assert len(signer.sign_transaction(one)) > len(one) // 2

    def test_what_is_no_transaction_is_not_signed(self, signer: Signer) -> None:
        for junk in (b"", b"\x00", b"hello"):
            with pytest.raises(ValueError):  # noqa: PT011 (each signer words it in its own way)
                signer.sign_transaction(junk)
