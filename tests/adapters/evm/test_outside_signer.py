from __future__ import annotations

import secrets

import pytest
from coincurve import PrivateKey
from eth_account import Account

from adapters.evm.outside_signer import OutsideSigner
from adapters.evm.signer import ORDER
from adapters.evm.transactions import NotATransaction
from ports.signer import SignerUnavailable, SigningRefused
from tests.adapters.evm.local_chain import OPERATOR, address, key
from tests.adapters.evm.test_signer import a_transfer


class Device:
    """Signs like an HSM: with a random nonce, so that about half of all s are high."""

    def __init__(self, secret: bytes = key(OPERATOR)) -> None:
        self._key = PrivateKey(secret)
        self.public_key = self._key.public_key.format(compressed=False)
        self.high = 0

    def sign_digest(self, digest: bytes) -> bytes:
        mixed = self._key.sign_recoverable(digest, hasher=None)
        r, s = int.from_bytes(mixed[:32], "big"), int.from_bytes(mixed[32:64], "big")
        if secrets.randbelow(2):
            self.high += 1
            s = ORDER - s
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Crooked(Device):
    """Signs with something else than it says."""

    def __init__(self, signature: bytes | None = None) -> None:
        super().__init__()
        self._signature = signature
        self._other = Device(b"\x11" * 32)

    def sign_digest(self, digest: bytes) -> bytes:
        return self._signature or self._other.sign_digest(digest)


def test_chains_take_what_a_device_has_signed() -> None:
    device = Device()
    signer = OutsideSigner(device, chain_id=56)

    for nonce in range(32):
        for tip in (None, 10**9):
            raw = signer.sign_transaction(a_transfer(nonce=nonce, tip_per_gas=tip).encode())
            assert Account.recover_transaction(raw).lower() == address(OPERATOR)

    assert 0 < device.high < 64
    assert signer.address == address(OPERATOR)


def test_it_reads_what_it_signs() -> None:
    signer = OutsideSigner(Device(), chain_id=56, max_fee_wei=10**9)

    with pytest.raises(NotATransaction):
        signer.sign_transaction(bytes(32))
    with pytest.raises(SigningRefused, match="for chain 1"):
        signer.sign_transaction(a_transfer(chain_id=1).encode())
    with pytest.raises(SigningRefused, match="over the limit"):
        signer.sign_transaction(a_transfer().encode())


@pytest.mark.parametrize(
    "signature", [None, bytes(64), b"\xff" * 64, bytes(31) + b"\1" + bytes(32), b"", b"\x07" * 64]
)
def test_a_device_that_signs_wrongly_is_found_out(signature: bytes | None) -> None:
    crooked = Crooked(signature) if signature else Crooked()
    if signature == b"":
        crooked = Crooked(b"\0")

    with pytest.raises(SignerUnavailable):
        OutsideSigner(crooked, chain_id=56).sign_transaction(a_transfer().encode())
