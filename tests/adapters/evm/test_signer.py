# What a test changes may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

import os
import pickle
import stat
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from eth_account import Account

from adapters.evm.signer import (
    LocalSigner,
    create_key_file,
    read_key_file,
)
from adapters.evm.transactions import NotATransaction, UnsignedTransaction, hash_of
from adapters.system.secret_files import KeyFileRefused
from ports.signer import SigningRefused
from tests.adapters.evm.local_chain import OPERATOR, address, key
from tests.contracts.signer import SignerContract

if TYPE_CHECKING:
    from pathlib import Path

SECRET = key(OPERATOR)
"""A devnet's public key: anybody has it."""


def a_transfer(**changes: Any) -> UnsignedTransaction:
    transaction = UnsignedTransaction(
        chain_id=56,
        nonce=7,
        target="0x" + "5" * 40,
        value=10**15,
        data=bytes.fromhex("a9059cbb") + bytes(64),
        gas_limit=60_000,
        max_fee_per_gas=3 * 10**9,
        tip_per_gas=10**9,
    )
    return attrs.evolve(transaction, **changes)


class TestContract(SignerContract):
    @pytest.fixture
    def signer(self) -> LocalSigner:
        return LocalSigner(SECRET, chain_id=56)

    @pytest.fixture
    def unsigned(self) -> list[bytes]:
        return [a_transfer().encode(), a_transfer(nonce=8).encode()]


@pytest.mark.parametrize("tip", [None, 0, 10**9])
@pytest.mark.parametrize("nonce", [0, 127, 128, 2**40])
def test_signs_the_bytes_that_eth_account_signs(tip: int | None, nonce: int) -> None:
    transaction = a_transfer(tip_per_gas=tip, nonce=nonce)
    fees: dict[str, Any] = (
        {"gasPrice": transaction.max_fee_per_gas}
        if tip is None
        else {"maxFeePerGas": transaction.max_fee_per_gas, "maxPriorityFeePerGas": tip}
    )
    theirs = Account.sign_transaction(
        {
            "chainId": 56,
            "nonce": nonce,
            "to": "0x" + "5" * 40,
            "value": 10**15,
            "data": transaction.data,
            "gas": 60_000,
            **fees,
        },
        SECRET,
    )

    ours = LocalSigner(SECRET, chain_id=56).sign_transaction(transaction.encode())

    assert ours == bytes(theirs.raw_transaction)
    assert hash_of(ours) == theirs.hash.to_0x_hex()


def test_signs_the_same_bytes_again() -> None:
    signer = LocalSigner(SECRET, chain_id=56)
    unsigned = a_transfer().encode()

    assert signer.sign_transaction(unsigned) == signer.sign_transaction(unsigned)


def test_refuses_another_chain() -> None:
    with pytest.raises(SigningRefused, match="chain 56, not 1"):
        LocalSigner(SECRET, chain_id=1).sign_transaction(a_transfer().encode())


@pytest.mark.parametrize(("limit", "signs"), [(180_000 * 10**9, True), (179_999 * 10**9, False)])
def test_refuses_what_may_cost_too_much(limit: int, *, signs: bool) -> None:
    signer = LocalSigner(SECRET, chain_id=56, max_fee_wei=limit)
    if signs:
        assert signer.sign_transaction(a_transfer().encode())
    else:
        with pytest.raises(SigningRefused, match="over the limit"):
            signer.sign_transaction(a_transfer().encode())


def test_refuses_a_tip_over_the_fee() -> None:
    unsigned = a_transfer(tip_per_gas=4 * 10**9).encode()

    with pytest.raises(SigningRefused, match="tip"):
        LocalSigner(SECRET, chain_id=56).sign_transaction(unsigned)


def test_never_signs_blind() -> None:
    signer = LocalSigner(SECRET, chain_id=56)
    unsigned = a_transfer().encode()
    spoilt = [
        b"",
        b"\x19Ethereum Signed Message:\n2hi",
        bytes(32),
        unsigned + b"\0",
        unsigned[:-1],
        b"\x01" + unsigned[1:],
        b"\x04" + unsigned[1:],
        unsigned.replace(bytes.fromhex("5" * 40), b""),
        a_transfer(tip_per_gas=None).encode()[:-2] + b"\x01\x01",
    ]

    for transaction in spoilt:
        with pytest.raises(NotATransaction):
            signer.sign_transaction(transaction)


def test_refuses_an_access_list() -> None:
    unsigned = a_transfer(data=b"").encode()
    with_list = b"\x02" + bytes([unsigned[1] + 1]) + unsigned[2:-1] + b"\xc1\x80"

    with pytest.raises(NotATransaction):
        LocalSigner(SECRET, chain_id=56).sign_transaction(with_list)


def test_never_shows_its_key() -> None:
    signer = LocalSigner(SECRET, chain_id=56)

    assert signer.address == address(OPERATOR)
    assert repr(signer) == str(signer) == f"LocalSigner({address(OPERATOR)})"
    with pytest.raises(TypeError):
        pickle.dumps(signer)


@pytest.mark.parametrize("wrong", [b"", bytes(32), b"\xff" * 32, SECRET + b"\0"])
def test_refuses_what_is_no_key_without_repeating_it(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="not a private key") as refusal:
        LocalSigner(wrong, chain_id=56)

    assert SECRET.hex()[:16] not in repr(refusal.getrepr(showlocals=False))


@pytest.mark.parametrize("umask", [0, 0o077, 0o277])
def test_creates_a_key_file_that_only_its_owner_reads(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "hot.key"
    before = os.umask(umask)
    try:
        made = create_key_file(path)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert LocalSigner.from_file(path, chain_id=56).address == made


def test_never_overwrites_a_key(tmp_path: Path) -> None:
    path = tmp_path / "hot.key"
    create_key_file(path)
    held = path.read_bytes()

    with pytest.raises(FileExistsError):
        create_key_file(path)

    assert path.read_bytes() == held


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o400, 0o700, 0o777])
def test_refuses_a_key_file_of_another_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "hot.key"
    create_key_file(path)
    path.chmod(mode)

    with pytest.raises(KeyFileRefused, match=f"has mode {mode:04o}"):
        read_key_file(path)


@pytest.mark.parametrize("content", ["", "zz" * 32, "ab" * 31, "ab" * 33, "00" * 32, "gehéim"])
def test_refuses_a_file_without_a_key_and_does_not_quote_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "hot.key"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(KeyFileRefused, match="does not hold") as refusal:
        read_key_file(path)

    assert not content or content not in str(refusal.value)
    assert refusal.value.__context__ is None


def test_refuses_a_missing_file_and_a_link(tmp_path: Path) -> None:
    path = tmp_path / "hot.key"
    link = tmp_path / "link.key"
    create_key_file(path)
    link.symlink_to(path)

    with pytest.raises(KeyFileRefused, match="cannot be opened"):
        read_key_file(tmp_path / "missing.key")
    with pytest.raises(KeyFileRefused, match="cannot be opened"):
        read_key_file(link)
