"""``switchyard signer``: a process with the keys, and a worker's adapters that have none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import tomli_w
from eth_account import Account

from adapters.evm.abi import address_word, selector, uint_word
from adapters.evm.addresses import XpubAddresses
from adapters.evm.signer import LocalSigner
from adapters.evm.transactions import UnsignedTransaction
from adapters.evm.wallet_seed import account_xprv, account_xpub
from adapters.keys.entries import KeyLabel
from adapters.keys.keystore import Keystore, NoSuchKey
from adapters.keys.local_wrappers import FileKeyWrapper, create_wrapping_key
from config.chains import EvmChainSetting
from config.settings import WrongSettings, structure
from config.signer import load_signer, signer
from config.signers import evm_deposit_signer, evm_signer
from ports.signer import SignerUnavailable, SigningRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    from ports.signer import DepositSigner, Signer

ROOT = Path(__file__).parents[3]
KEY = bytes(range(1, 33))
HOT = LocalSigner(KEY, chain_id=56).address
XPUB = account_xpub(bytes(64))
DEPOSIT = XpubAddresses(XPUB).derive(7)
TOKEN, ADA = "0x" + "5" * 40, "0x" + "a" * 40
CHAIN = "eip155:56"
USDT = f"{CHAIN}/erc20:{TOKEN}"


def transfer(amount: int, *, to: str = ADA, nonce: int = 0) -> bytes:
    return UnsignedTransaction(
        chain_id=56,
        nonce=nonce,
        target=TOKEN,
        value=0,
        data=selector("transfer(address,uint256)") + address_word(to) + uint_word(amount),
        gas_limit=60_000,
        max_fee_per_gas=10**9,
        tip_per_gas=None,
    ).encode()


@attrs.frozen
class Vault:
    """A directory with a signer's settings, keys and journal."""

    root: Path

    def settings(self, **changes: Any) -> Path:  # noqa: ANN401 (of any type)
        hot = {
            "id": "hot",
            "chain": CHAIN,
            "acts": ["payout"],
            "hot_wallet": HOT,
            "fee_max": 10**15,
            "limits": [{"asset": USDT, "per_transaction": 100, "per_day": 250}],
        }
        sweep = hot | {"id": "sweep", "acts": ["sweep"], "limits": [{"asset": USDT}]}
        told = {
            "signer": {"socket": str(self.root / "s"), "journal": str(self.root / "journal")},
            "keystore": {
                "directory": str(self.root / "keys"),
                "wrap_with": "kek",
                "wrappers": [{"name": "kek", "kind": "file", "file": str(self.root / "kek")}],
            },
            "keys": [hot | changes, sweep],
        }
        file = self.root / "signer.toml"
        file.write_text(tomli_w.dumps(told))
        return file

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """Run the signer's process until the block ends."""
        command = [sys.executable, "-m", "entrypoints.cli.main", "signer", "--stop-with-parent"]
        with (self.root / "said").open("a") as said:
            process = subprocess.Popen(  # noqa: S603 (our own program)
                [*command, "--settings", self.settings()],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"signer: {self.root / 's'}\n", self.said()
            yield process
        finally:
            process.kill()
            process.communicate()

    def said(self) -> str:
        return (self.root / "said").read_text()

    def worker(self) -> tuple[Signer, DepositSigner]:
        """Return what a worker signs with: by its settings, which name no key's file."""
        chain = {
            "id": CHAIN,
            "rpc_url": "http://127.0.0.1:9",
            "escrow_contract": "0x" + "e" * 40,
            "hot_wallet": HOT,
            "treasury": ADA,
            "first_block": 0,
        }
        settings = structure(
            {
                "database": {"url": "postgresql://none"},
                "http": {"cursor_key": "c" * 32},
                "keys": {"xpub": XPUB, "hot_wallet_key": "hot", "deposit_key": "sweep"},
                "signer": {"socket": str(self.root / "s"), "timeout_seconds": 2.0},
                "assets": [{"id": "iso4217:USD", "symbol": "USD", "decimals": 2}],
                "chains": [chain],
                "rates": [],
            }
        )
        only = settings.chains[0]
        assert isinstance(only, EvmChainSetting)
        deposits = evm_deposit_signer(settings, only, tokens=[TOKEN])
        assert deposits is not None
        return evm_signer(settings, only), deposits


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    create_wrapping_key(tmp_path / "kek")
    (tmp_path / "keys").mkdir()
    wrapper = FileKeyWrapper.from_file("kek", tmp_path / "kek")
    keystore = Keystore(tmp_path / "keys", {"kek": wrapper})
    hot = KeyLabel(id="hot", purpose="hot-wallet", family="eip155", public=HOT)
    sweep = KeyLabel(id="sweep", purpose="deposits", family="eip155", public=XPUB)
    keystore.create(hot, KEY, wrapper="kek")
    keystore.create(sweep, account_xprv(bytes(64)).encode(), wrapper="kek")
    return Vault(tmp_path)


def test_the_worker_has_it_sign_and_is_kept_within_the_policy(vault: Vault) -> None:
    hot, deposits = vault.worker()

    with vault.running():
        first = hot.sign_transaction(transfer(100))
        again = hot.sign_transaction(transfer(100))
        swept = deposits.sign_sweep(transfer(10**9, to=HOT), source=DEPOSIT, index=7)
        with pytest.raises(SigningRefused, match="moves 101"):
            hot.sign_transaction(transfer(101))
        with pytest.raises(SigningRefused, match="does not sign"):
            deposits.sign_sweep(transfer(1), source=DEPOSIT, index=7)
        with pytest.raises(SigningRefused, match="place 8 is not that of"):
            deposits.sign_sweep(transfer(1, to=HOT, nonce=1), source=DEPOSIT, index=8)

    assert first == again == LocalSigner(KEY, chain_id=56).sign_transaction(transfer(100))
    assert Account.recover_transaction(swept).lower() == DEPOSIT


def test_a_kill_forgets_no_limit_and_no_signature(
    vault: Vault, switchyard: Callable[..., Result]
) -> None:
    hot, _ = vault.worker()
    with vault.running() as process:
        first = hot.sign_transaction(transfer(100, nonce=0))
        hot.sign_transaction(transfer(100, nonce=1))
        process.send_signal(signal.SIGKILL)
        process.wait(5)
        with pytest.raises(SignerUnavailable):
            hot.sign_transaction(transfer(1, nonce=2))

    with vault.running():
        assert hot.sign_transaction(transfer(100, nonce=0)) == first
        hot.sign_transaction(transfer(50, nonce=2))
        with pytest.raises(SigningRefused, match="makes it 251 of"):
            hot.sign_transaction(transfer(1, nonce=3))

    told = switchyard("signer", "log", "--settings", str(vault.settings()))
    lines = [json.loads(line) for line in told.output.splitlines()]
    assert [line["what"] for line in lines] == [
        "signed", "signed", "signed before", "signed", "refused",
    ]  # fmt: skip
    assert str(os.getpid()) in lines[0]["client"]
    assert KEY.hex() not in told.output + vault.said()


def test_it_stops_when_it_is_told_to_and_leaves_no_socket(vault: Vault) -> None:
    with vault.running() as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert not (vault.root / "s").exists()


@pytest.mark.parametrize(
    ("changes", "failure", "why"),
    [
        ({"hot_wallet": ADA}, WrongSettings, "is not the key of"),
        ({"acts": ["sweep"]}, WrongSettings, "does not sign"),
        ({"acts": ["release"]}, WrongSettings, "escrow_contract is needed"),
        ({"acts": ["anything"]}, WrongSettings, "acts"),
        ({"limits": []}, WrongSettings, "limits"),
        ({"limits": [{"asset": "eip155:1/slip44:60"}]}, WrongSettings, "of another chain"),
        ({"id": "none"}, NoSuchKey, "none"),
        ({"id": "sweep"}, WrongSettings, "twice"),
        (
            {"chain": "ton:-3", "limits": [{"asset": "ton:-3/slip44:607"}]},
            WrongSettings,
            "is for eip155",
        ),
    ],
)
def test_settings_that_cannot_be_are_told(
    vault: Vault, changes: dict[str, Any], failure: type[Exception], why: str
) -> None:
    with pytest.raises(failure, match=why) as told:
        signer(load_signer(vault.settings(**changes), environment={}))

    assert KEY.hex() not in str(told.value)
    assert not (vault.root / "journal").exists()


def test_signing_goes_on_while_keys_are_wrapped_again(vault: Vault) -> None:
    """Whoever opens a key at any moment of a rotation finds it, and signs alike."""
    create_wrapping_key(vault.root / "new")
    wrappers = {name: FileKeyWrapper.from_file(name, vault.root / name) for name in ("kek", "new")}
    keystore = Keystore(vault.root / "keys", wrappers)
    expected = LocalSigner(KEY, chain_id=56).sign_transaction(transfer(1))
    rounds, done = 40, threading.Event()

    def rotate() -> None:
        for number in range(rounds):
            for id in keystore.ids():
                keystore.rewrap(id, wrapper=("new", "kek")[number % 2])
        done.set()

    thread = threading.Thread(target=rotate)
    thread.start()
    signed = 0
    while not done.is_set() or not signed:
        _, secret = keystore.open("hot")
        assert LocalSigner(secret, chain_id=56).sign_transaction(transfer(1)) == expected
        signed += 1
    thread.join(30)

    assert signed > rounds // 4
