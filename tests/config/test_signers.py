"""Who signs for the worker: by a key's file, by its name in the keystore, or a process apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.evm.deposit_signer import LocalDepositSigner
from adapters.evm.signer import LocalSigner
from adapters.evm.wallet_seed import account_xprv, account_xpub
from adapters.keys.entries import KeyLabel
from adapters.keys.keystore import Keystore, KeystoreRefused, NoSuchKey
from adapters.keys.local_wrappers import FileKeyWrapper, create_wrapping_key
from adapters.signer_process.client import RemoteDepositSigner, RemoteSigner
from adapters.ton.highload import HighloadWallet
from adapters.ton.key_file import public_key
from adapters.ton.signer import LocalHighloadSigner
from config.settings import WrongSettings, structure
from config.signers import evm_deposit_signer, evm_signer
from config.ton_signers import ton_deposits, ton_signer

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings

KEY = bytes(range(1, 33))
HOT = LocalSigner(KEY, chain_id=1).address
XPUB = account_xpub(bytes(64))
TON_PUBLIC = public_key(KEY).hex()
TON_WALLET = HighloadWallet(public_key=public_key(KEY), timeout_seconds=3_600).address.raw
BY_NAME = {"xpub": XPUB, "hot_wallet_key": "hot", "deposit_key": "sweep"}
REMOTE = {"socket": "/nowhere/socket"}


@pytest.fixture
def keystore(tmp_path: Path) -> dict[str, Any]:
    """A keystore's table; the keys it names are there."""
    create_wrapping_key(tmp_path / "kek")
    (tmp_path / "keys").mkdir()
    wrappers = {"kek": FileKeyWrapper.from_file("kek", tmp_path / "kek")}
    for id, purpose, family, public, secret in (
        ("hot", "hot-wallet", "eip155", HOT, KEY),
        ("sweep", "deposits", "eip155", XPUB, account_xprv(bytes(64)).encode()),
        ("ton-hot", "hot-wallet", "ton", TON_PUBLIC, KEY),
        ("ton-sweep", "deposits", "ton", TON_PUBLIC, KEY),
    ):
        label = KeyLabel(id=id, purpose=purpose, family=family, public=public)
        Keystore(tmp_path / "keys", wrappers).create(label, secret, wrapper="kek")
    wrapper = {"name": "kek", "kind": "file", "file": str(tmp_path / "kek")}
    return {"directory": str(tmp_path / "keys"), "wrap_with": "kek", "wrappers": [wrapper]}


def settings(keys: dict[str, Any], ton: dict[str, Any] | None = None, **tables: Any) -> Settings:  # noqa: ANN401 (of any type)
    evm = {
        "id": "eip155:56",
        "rpc_url": "http://127.0.0.1:9",
        "escrow_contract": "0x" + "e" * 40,
        "hot_wallet": HOT,
        "treasury": HOT,
        "first_block": 0,
    }
    network = {
        "id": "ton:-3",
        "network_config_file": "none",
        "hot_wallet": TON_WALLET,
        "deposit_public_key": TON_PUBLIC,
        "first_block": 1,
    }
    return structure(
        {
            "database": {"url": "postgresql://none"},
            "http": {"cursor_key": "c" * 32},
            "keys": keys,
            "assets": [{"id": "iso4217:USD", "symbol": "USD", "decimals": 2}],
            "chains": [evm, network | (ton or {})],
            "rates": [],
        }
        | tables
    )


def test_keys_come_from_the_keystore(keystore: dict[str, Any]) -> None:
    named = {"hot_wallet_key": "ton-hot", "deposit_key": "ton-sweep"}
    told = settings(BY_NAME, named, keystore=keystore)

    signer = evm_signer(told, told.evm_chains[0])
    wallet, ton = ton_signer(told, told.ton_chains[0])
    deposits = ton_deposits(told, told.ton_chains[0], hot_wallet=TON_WALLET)

    assert isinstance(signer, LocalSigner)
    assert signer.address == HOT
    assert isinstance(evm_deposit_signer(told, told.evm_chains[0], tokens=[]), LocalDepositSigner)
    assert isinstance(ton, LocalHighloadSigner)
    assert wallet.address.raw == ton.address == TON_WALLET
    assert deposits is not None
    assert deposits.wallets.public_key.hex() == TON_PUBLIC


def test_with_a_signer_the_worker_opens_no_key() -> None:
    named = {
        "hot_wallet_key": "ton-hot",
        "deposit_key": "ton-sweep",
        "hot_wallet_public_key": TON_PUBLIC,
    }
    told = settings(BY_NAME, named, signer=REMOTE)

    assert isinstance(evm_signer(told, told.evm_chains[0]), RemoteSigner)
    sweeps = evm_deposit_signer(told, told.evm_chains[0], tokens=[])
    assert isinstance(sweeps, RemoteDepositSigner)
    wallet, signer = ton_signer(told, told.ton_chains[0])
    assert isinstance(signer, RemoteSigner)
    assert wallet.address.raw == signer.address == TON_WALLET
    deposits = ton_deposits(told, told.ton_chains[0], hot_wallet=TON_WALLET)
    assert deposits is not None
    assert isinstance(deposits.signer, RemoteDepositSigner)


@pytest.mark.parametrize(
    ("keys", "failure", "why"),
    [
        ({"hot_wallet_key": "sweep"}, KeystoreRefused, "is for eip155/deposits"),
        ({"hot_wallet_key": "ton-hot"}, KeystoreRefused, "is for ton/hot-wallet"),
        ({"hot_wallet_key": "none"}, NoSuchKey, "none"),
        ({}, WrongSettings, "hot_wallet_file or hot_wallet_key is needed"),
    ],
)
def test_a_key_for_something_else_is_refused(
    keystore: dict[str, Any], keys: dict[str, Any], failure: type[Exception], why: str
) -> None:
    told = settings({"xpub": XPUB} | keys, keystore=keystore)

    with pytest.raises(failure, match=why):
        evm_signer(told, told.evm_chains[0])


def test_a_key_of_other_addresses_is_refused(keystore: dict[str, Any]) -> None:
    other = account_xpub(b"\1" * 64)
    told = settings(BY_NAME | {"xpub": other}, {"hot_wallet_key": "ton-hot"}, keystore=keystore)

    with pytest.raises(WrongSettings, match="sweep is not the key of"):
        evm_deposit_signer(told, told.evm_chains[0], tokens=[])


@pytest.mark.parametrize(
    ("keys", "ton", "tables", "why"),
    [
        (BY_NAME, {}, {}, "keystore or signer is needed"),
        ({"xpub": XPUB}, {"deposit_key": "k"}, {}, "deposit_key of ton:-3"),
        (BY_NAME | {"hot_wallet_file": "f"}, {}, {"signer": REMOTE}, "by a file and by a name"),
        ({"xpub": XPUB, "deposit_key_file": "f"}, {}, {"signer": REMOTE}, "there is a signer"),
        (BY_NAME, {}, {"signer": {}}, "either a socket or a port"),
        (BY_NAME, {}, {"signer": {"port": 1}}, "secret_file is needed by a port"),
    ],
)
def test_a_key_is_named_once_and_somebody_has_it(
    keys: dict[str, Any], ton: dict[str, Any], tables: dict[str, Any], why: str
) -> None:
    with pytest.raises(WrongSettings, match=why):
        settings(keys, ton, **tables)


def test_a_keystore_is_not_told_to_a_worker_that_has_a_signer(keystore: dict[str, Any]) -> None:
    with pytest.raises(WrongSettings, match="is the signer's"):
        settings(BY_NAME, signer=REMOTE, keystore=keystore)
