"""Keys in a token: made there, used there, and never anywhere else."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pkcs11
import pytest
import tomli_w
from eth_account import Account

from adapters.evm.outside_signer import OutsideSigner
from adapters.keys.pkcs11 import TokenKey, TokenRefused, create_token_key
from adapters.signer_process.messages import SignTransaction
from adapters.system.secret_files import create_secret
from config.signer import load_signer, signer
from ports.signer import SignerUnavailable
from tests.adapters.evm.test_signer import a_transfer

if TYPE_CHECKING:
    from adapters.keys.pkcs11 import TokenPlace

numbers = itertools.count()


@pytest.fixture
def place(token: TokenPlace) -> TokenPlace:
    """Return where a new key is."""
    place = attrs.evolve(token, key=f"hot-{next(numbers)}")
    create_token_key(place)
    return place


def test_chains_take_what_the_token_has_signed(place: TokenPlace) -> None:
    device = TokenKey(place)
    signer = OutsideSigner(device, chain_id=56)

    for nonce in range(20):
        raw = signer.sign_transaction(a_transfer(nonce=nonce).encode())
        assert Account.recover_transaction(raw).lower() == signer.address


def test_the_key_does_not_leave_the_token(place: TokenPlace) -> None:
    device = TokenKey(place)

    for attribute in (pkcs11.Attribute.VALUE, pkcs11.Attribute.PRIVATE_EXPONENT):
        with pytest.raises(pkcs11.PKCS11Error):
            device._key[attribute]
    assert device._key[pkcs11.Attribute.SENSITIVE] is True
    assert device._key[pkcs11.Attribute.EXTRACTABLE] is False


def test_a_key_is_never_made_twice(place: TokenPlace) -> None:
    with pytest.raises(TokenRefused, match="has a key"):
        create_token_key(place)


@pytest.mark.parametrize(
    "changes", [{"key": "none"}, {"token": "none"}, {"library": Path("/none.so")}]
)
def test_what_is_not_there_is_refused(place: TokenPlace, changes: Any) -> None:  # noqa: ANN401 (of any type)
    with pytest.raises(TokenRefused) as refusal:
        TokenKey(attrs.evolve(place, **changes))

    assert place.pin not in str(refusal.value)


def test_a_session_that_was_lost_is_opened_again(place: TokenPlace) -> None:
    device = TokenKey(place)
    device._key.session.close()

    assert OutsideSigner(device, chain_id=56).sign_transaction(a_transfer().encode())


def test_a_token_that_is_gone_is_no_refusal(place: TokenPlace) -> None:
    device = TokenKey(place)
    device._key.session.close()
    device._place = attrs.evolve(place, token="none")  # type: ignore[misc]  # It was taken out.

    with pytest.raises(SignerUnavailable):
        device.sign_digest(bytes(32))


def test_nothing_of_it_is_shown_or_kept(place: TokenPlace) -> None:
    device = TokenKey(place)

    assert place.pin not in repr(device) + repr(place)
    with pytest.raises(TypeError):
        pickle.dumps(device)


class TestSigner:
    """The signer's process with a key in the token."""

    @pytest.fixture
    def settings(self, place: TokenPlace, tmp_path: Path) -> Path:
        create_secret(tmp_path / "pin", place.pin.encode())
        create_secret(tmp_path / "kek", b"11" * 32)
        told = {
            "signer": {"socket": str(tmp_path / "s"), "journal": str(tmp_path / "journal")},
            "keystore": {
                "directory": str(tmp_path),
                "wrap_with": "kek",
                "wrappers": [{"name": "kek", "kind": "file", "file": str(tmp_path / "kek")}],
            },
            "keys": [
                {
                    "id": "hot",
                    "chain": "eip155:56",
                    "acts": ["payout"],
                    "hot_wallet": OutsideSigner(TokenKey(place), chain_id=56).address,
                    "fee_max": 10**18,
                    "limits": [{"asset": "eip155:56/slip44:60", "per_day": 10}],
                    "token": {
                        "library": str(place.library),
                        "token": place.token,
                        "key": place.key,
                        "pin_file": str(tmp_path / "pin"),
                    },
                }
            ],
        }
        file = tmp_path / "signer.toml"
        file.write_text(tomli_w.dumps(told))
        return file

    def test_it_gives_the_same_answer_twice(self, settings: Path) -> None:
        loaded = load_signer(settings, environment={})
        address = loaded.keys[0].hot_wallet
        unsigned = a_transfer(value=10, data=b"").encode()
        question = SignTransaction("hot", "eip155:56", address, unsigned)

        process = signer(loaded)
        with process.journal:
            first = [process.server.sign(question, "test") for _ in range(3)]
        process = signer(loaded)
        with process.journal:
            again = process.server.sign(question, "test")

        assert {*first, again} == {again}
        assert Account.recover_transaction(again).lower() == address
