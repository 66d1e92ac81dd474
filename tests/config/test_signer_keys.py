"""The signer's process as settings compose it: keys of each family, and what they may sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli_w

from adapters.keys.entries import KeyLabel
from adapters.keys.keystore import Keystore
from adapters.keys.local_wrappers import FileKeyWrapper, create_wrapping_key
from adapters.signer_process.messages import SignSweep, SignTransaction
from adapters.ton.addresses import TonAddress
from adapters.ton.deposit_wallet import DepositWallets, Sweep
from adapters.ton.highload import HighloadBatch, HighloadWallet
from adapters.ton.internal import coin_transfer
from adapters.ton.key_file import public_key
from config.settings import WrongSettings
from config.signer import load_signer, signer
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.signer import SignerProcess

SEED = b"\x17" * 32
"""Made up, and written down here: of no value to anybody."""
CHAIN = "ton:-3"
COIN = f"{CHAIN}/slip44:607"
WALLET = HighloadWallet(public_key=public_key(SEED), timeout_seconds=3_600)
DEPOSIT = DepositWallets(public_key=public_key(SEED)).at(3)
ADA, BOB = TonAddress(0, b"\xad" * 32), TonAddress(0, b"\xb0" * 32)


def settings(folder: Path, **changes: Any) -> Path:  # noqa: ANN401 (of any type)
    hot = {
        "id": "hot",
        "chain": CHAIN,
        "acts": ["payout"],
        "hot_wallet": WALLET.address.raw,
        "fee_max": 1_000,
        "destinations": [ADA.raw],
        "limits": [{"asset": COIN, "per_transaction": 100, "per_day": 150}],
    }
    sweep = {
        "id": "sweep",
        "chain": CHAIN,
        "acts": ["sweep"],
        "hot_wallet": WALLET.address.raw,
        "fee_max": 1,
        "limits": [{"asset": COIN}],
    }
    told = {
        "signer": {"socket": str(folder / "s"), "journal": str(folder / "journal")},
        "keystore": {
            "directory": str(folder / "keys"),
            "wrap_with": "kek",
            "wrappers": [{"name": "kek", "kind": "file", "file": str(folder / "kek")}],
        },
        "keys": [hot | changes, sweep],
    }
    file = folder / "signer.toml"
    file.write_text(tomli_w.dumps(told))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_wrapping_key(tmp_path / "kek")
    (tmp_path / "keys").mkdir()
    keystore = Keystore(
        tmp_path / "keys", {"kek": FileKeyWrapper.from_file("kek", tmp_path / "kek")}
    )
    for id, purpose in (("hot", "hot-wallet"), ("sweep", "deposits")):
        label = KeyLabel(id=id, purpose=purpose, family="ton", public=public_key(SEED).hex())
        keystore.create(label, SEED, wrapper="kek")
    return tmp_path


@pytest.fixture
def process(folder: Path) -> Iterator[SignerProcess]:
    process = signer(load_signer(settings(folder), environment={}))
    with process.journal:
        yield process


def paying(amount: int, to: TonAddress = ADA, *, query: int = 0) -> SignTransaction:
    transfer = coin_transfer(destination=to, amount=amount, bounce=False)
    batch = HighloadBatch(query=query, created_at=1, transfers=(transfer,), allowance=1_000)
    unsigned = WALLET.unsigned(batch).to_boc()
    return SignTransaction("hot", CHAIN, WALLET.address.raw, unsigned)


def sweeping(to: TonAddress) -> SignSweep:
    message = coin_transfer(destination=to, amount=0, bounce=False)
    sweep = Sweep(message=message, seqno=1, valid_until=2, takes_everything=True)
    return SignSweep("sweep", CHAIN, DEPOSIT.address.raw, 3, DEPOSIT.unsigned(sweep).to_boc())


def test_batches_on_ton_are_kept_within_the_policy(process: SignerProcess) -> None:
    sign = process.server.sign

    assert sign(paying(100), "test") == sign(paying(100), "test")
    for wrong, why in (
        (paying(101), "moves 101"),
        (paying(1, BOB), "who is not on the list"),
        (paying(51, query=1), "makes it 151"),
    ):
        with pytest.raises(SigningRefused, match=why):
            sign(wrong, "test")
    assert sign(paying(50, query=1), "test")


def test_sweeps_on_ton_go_to_the_hot_wallet_alone(process: SignerProcess) -> None:
    assert process.server.sign(sweeping(WALLET.address), "test")
    with pytest.raises(SigningRefused, match="does not go to the hot wallet"):
        process.server.sign(sweeping(ADA), "test")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"hot_wallet": ADA.raw}, "is not the key of"),
        ({"hot_wallet": "0:12"}, "settings.keys"),
        ({"message_seconds": 60}, "is not the key of"),
        ({"acts": ["release"], "escrow_contract": "0x"}, "does not sign release"),
        ({"chain": "eip155:1", "limits": [{"asset": "eip155:1/slip44:60"}]}, "is for ton"),
    ],
)
def test_a_key_that_cannot_be_is_told(folder: Path, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(WrongSettings, match=why):
        signer(load_signer(settings(folder, **changes), environment={}))
