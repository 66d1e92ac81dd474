# What a test changes may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

import pickle
import secrets
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from eth_account import Account

from adapters.evm.abi import address_word, selector, uint_word
from adapters.evm.addresses import ExtendedPublicKey, XpubAddresses
from adapters.evm.deposit_signer import LocalDepositSigner
from adapters.evm.private_keys import ExtendedPrivateKey, NotAnExtendedPrivateKey
from adapters.evm.transactions import NotATransaction, UnsignedTransaction
from adapters.system.secret_files import KeyFileRefused
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = ExtendedPrivateKey.master(secrets.token_bytes(32)).account(0)
HOT, OTHER, TOKEN = "0x" + "1" * 40, "0x" + "2" * 40, "0x" + "5" * 40
INDEX = 7
SOURCE = XpubAddresses(ACCOUNT.xpub()).derive(INDEX)


@pytest.fixture
def signer() -> LocalDepositSigner:
    return LocalDepositSigner(ACCOUNT, chain_id=56, hot_wallet=HOT, tokens=[TOKEN])


def transfer(to: str = HOT, *, function: str = "transfer(address,uint256)") -> bytes:
    return selector(function) + address_word(to) + uint_word(25)


def a_sweep(**changes: Any) -> UnsignedTransaction:
    transaction = UnsignedTransaction(
        chain_id=56,
        nonce=0,
        target=TOKEN,
        value=0,
        data=transfer(),
        gas_limit=60_000,
        max_fee_per_gas=3 * 10**9,
        tip_per_gas=10**9,
    )
    return attrs.evolve(transaction, **changes)


def signed(signer: LocalDepositSigner, transaction: UnsignedTransaction) -> bytes:
    return signer.sign_sweep(transaction.encode(), source=SOURCE, index=INDEX)


@pytest.mark.parametrize("tip", [None, 10**9])
def test_the_address_signs_its_own_sweep(signer: LocalDepositSigner, tip: int | None) -> None:
    raw = signed(signer, a_sweep(tip_per_gas=tip))

    assert Account.recover_transaction(raw).lower() == SOURCE
    assert raw == signed(signer, a_sweep(tip_per_gas=tip))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"data": transfer(OTHER)}, "does not go to the hot wallet"),
        ({"data": transfer(function="approve(address,uint256)")}, "is no transfer"),
        ({"data": transfer(function="increaseAllowance(address,uint256)")}, "is no transfer"),
        ({"data": transfer() + bytes(1)}, "is no transfer"),
        ({"data": transfer()[:-1]}, "is no transfer"),
        ({"data": b""}, "is no transfer"),
        ({"data": transfer()[:4] + b"\1" + transfer()[5:]}, "does not go to the hot wallet"),
        ({"value": 1}, "takes 1 wei along"),
        ({"target": OTHER}, "no token of ours"),
        ({"target": HOT, "data": b""}, "no token of ours"),
        ({"chain_id": 1}, "for chain 1, not 56"),
    ],
)
def test_signs_nothing_but_a_transfer_to_the_hot_wallet(
    signer: LocalDepositSigner, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(SigningRefused, match=why):
        signed(signer, a_sweep(**changes))


@pytest.mark.parametrize("index", [INDEX + 1, 0])
def test_refuses_another_address_s_place(signer: LocalDepositSigner, index: int) -> None:
    with pytest.raises(SigningRefused, match=f"place {index} is not that of {SOURCE}"):
        signer.sign_sweep(a_sweep().encode(), source=SOURCE, index=index)


@pytest.mark.parametrize("junk", [b"", bytes(32), a_sweep().encode() + b"\0"])
def test_never_signs_blind(signer: LocalDepositSigner, junk: bytes) -> None:
    with pytest.raises(NotATransaction):
        signer.sign_sweep(junk, source=SOURCE, index=INDEX)


def test_never_shows_its_key(signer: LocalDepositSigner) -> None:
    assert repr(signer) == "LocalDepositSigner()"
    assert ACCOUNT.key.secret.hex()[:8] not in repr(ACCOUNT)
    with pytest.raises(TypeError):
        pickle.dumps(signer)


class TestFile:
    def load(self, path: Path) -> LocalDepositSigner:
        return LocalDepositSigner.from_file(path, chain_id=56, hot_wallet=HOT, tokens=[TOKEN])

    def test_tells_whose_addresses_it_signs_for(self, tmp_path: Path) -> None:
        path = tmp_path / "deposit_key"
        path.write_text(ACCOUNT.xprv() + "\n")
        path.chmod(0o600)

        signer = self.load(path)

        assert signer.account == ExtendedPublicKey.parse(ACCOUNT.xpub())
        assert signer.account != ACCOUNT.child(0).neutered()
        assert signed(signer, a_sweep())

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o400, 0o700])
    def test_of_another_mode_is_refused(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "deposit_key"
        path.write_text(ACCOUNT.xprv())
        path.chmod(mode)

        with pytest.raises(KeyFileRefused, match=f"has mode {mode:04o}"):
            self.load(path)

    @pytest.mark.parametrize("content", ["", "zz" * 32, ACCOUNT.xpub(), ACCOUNT.xprv()[::-1]])
    def test_without_a_key_is_refused_and_not_quoted(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "deposit_key"
        path.write_text(content)
        path.chmod(0o600)

        with pytest.raises(KeyFileRefused, match="does not hold") as refusal:
            self.load(path)
        assert not content or content not in str(refusal.value)

    def test_that_is_missing_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileRefused, match="cannot be opened"):
            self.load(tmp_path / "none")


class TestExtendedKey:
    def test_is_read_as_it_was_written(self) -> None:
        read = ExtendedPrivateKey.parse(ACCOUNT.xprv())

        assert (read.xprv(), read.xpub()) == (ACCOUNT.xprv(), ACCOUNT.xpub())
        assert read.deposit_key(INDEX) == ACCOUNT.deposit_key(INDEX)

    @pytest.mark.parametrize("text", ["", "xprv", ACCOUNT.xpub()])
    def test_is_not_read_from_anything_else(self, text: str) -> None:
        with pytest.raises(NotAnExtendedPrivateKey):
            ExtendedPrivateKey.parse(text)
