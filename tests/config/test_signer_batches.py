"""The signer's process and batches of sweeps: one contract is delegated to, and called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli_w

from adapters.evm.addresses import XpubAddresses
from adapters.evm.authorizations import Authorization, Delegation
from adapters.evm.collector_abi import collect_call
from adapters.evm.signer import LocalSigner
from adapters.evm.transactions import UnsignedTransaction
from adapters.evm.wallet_seed import account_xprv, account_xpub
from adapters.keys.entries import KeyLabel
from adapters.keys.keystore import Keystore
from adapters.keys.local_wrappers import FileKeyWrapper, create_wrapping_key
from adapters.signer_process.messages import SignSweep, SignTransaction
from config.settings import WrongSettings
from config.signer import load_signer, signer
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.signer import SignerProcess

KEY = bytes(range(1, 33))
HOT = LocalSigner(KEY, chain_id=56).address
XPUB = account_xpub(bytes(64))
CHAIN = "eip155:56"
COLLECTOR, OTHER, TOKEN = ("0x" + digit * 40 for digit in "c25")
SOURCE = XpubAddresses(XPUB).derive(7)
USDT = f"{CHAIN}/erc20:{TOKEN}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_wrapping_key(tmp_path / "kek")
    (tmp_path / "keys").mkdir()
    wrappers = {"kek": FileKeyWrapper.from_file("kek", tmp_path / "kek")}
    for id, purpose, public, secret in (
        ("hot", "hot-wallet", HOT, KEY),
        ("sweep", "deposits", XPUB, account_xprv(bytes(64)).encode()),
    ):
        label = KeyLabel(id=id, purpose=purpose, family="eip155", public=public)
        Keystore(tmp_path / "keys", wrappers).create(label, secret, wrapper="kek")
    return tmp_path


def settings(folder: Path, hot: dict[str, Any], sweep: dict[str, Any]) -> Path:
    usual = {
        "chain": CHAIN,
        "hot_wallet": HOT,
        "fee_max": 10**15,
        "collector_contract": COLLECTOR.upper().replace("X", "x"),
        "limits": [{"asset": USDT}],
    }
    told = {
        "signer": {"socket": str(folder / "s"), "journal": str(folder / "journal")},
        "keystore": {
            "directory": str(folder / "keys"),
            "wrap_with": "kek",
            "wrappers": [{"name": "kek", "kind": "file", "file": str(folder / "kek")}],
        },
        "keys": [
            usual | {"id": "hot", "acts": ["collect"]} | hot,
            usual | {"id": "sweep", "acts": ["delegate"]} | sweep,
        ],
    }
    file = folder / "signer.toml"
    file.write_text(tomli_w.dumps(told))
    return file


@pytest.fixture
def process(folder: Path) -> Iterator[SignerProcess]:
    process = signer(load_signer(settings(folder, {}, {}), environment={}))
    with process.journal:
        yield process


def delegating(contract: str = COLLECTOR, *, nonce: int = 0) -> SignSweep:
    unsigned = Delegation(chain_id=56, contract=contract, nonce=nonce).encode()
    return SignSweep("sweep", CHAIN, SOURCE, 7, unsigned)


def collecting(authorization: bytes, **changes: Any) -> SignTransaction:  # noqa: ANN401 (of any type)
    usual: dict[str, Any] = {
        "chain_id": 56,
        "nonce": 0,
        "target": COLLECTOR,
        "value": 0,
        "data": collect_call([(SOURCE, TOKEN)]),
        "gas_limit": 100_000,
        "max_fee_per_gas": 10**9,
        "tip_per_gas": 10**9,
        "authorizations": (Authorization.decode(authorization),),
    }
    return SignTransaction("hot", CHAIN, HOT, UnsignedTransaction(**(usual | changes)).encode())


def test_a_batch_is_signed_by_both_keys(process: SignerProcess) -> None:
    sign = process.server.sign
    authorization = sign(delegating(), "test")

    raw = sign(collecting(authorization), "test")

    assert UnsignedTransaction.of_signed(raw).authorizations == (
        Authorization.decode(authorization),
    )
    assert sign(delegating(), "test") == authorization
    assert sign(collecting(authorization), "test") == raw


def test_nothing_else_is(process: SignerProcess) -> None:
    sign = process.server.sign
    authorization = sign(delegating(), "test")
    for wrong, why in (
        (delegating(OTHER), "no collector of ours"),
        (collecting(authorization, data=b""), "lets others delegate"),
        (collecting(authorization, gas_limit=10**9), "may cost"),
        (
            collecting(authorization, authorizations=(), target=OTHER),
            "no call that is known",
        ),
    ):
        with pytest.raises(SigningRefused, match=why):
            sign(wrong, "test")


@pytest.mark.parametrize(
    ("hot", "sweep", "why"),
    [
        ({"acts": ["payout"]}, {}, "is a collect"),
        ({}, {"acts": ["sweep"]}, "is a delegate"),
    ],
)
def test_a_policy_that_does_not_name_it_refuses_it(
    folder: Path, hot: dict[str, Any], sweep: dict[str, Any], why: str
) -> None:
    process = signer(load_signer(settings(folder, hot, sweep), environment={}))
    with process.journal, pytest.raises(SigningRefused, match=why):
        process.server.sign(collecting(process.server.sign(delegating(), "test")), "test")


@pytest.mark.parametrize(
    ("hot", "sweep", "why"),
    [
        ({"acts": ["delegate"]}, {}, "does not sign delegate"),
        ({}, {"acts": ["collect"]}, "does not sign collect"),
    ],
)
def test_a_key_signs_for_its_purpose(
    folder: Path, hot: dict[str, Any], sweep: dict[str, Any], why: str
) -> None:
    with pytest.raises(WrongSettings, match=why):
        signer(load_signer(settings(folder, hot, sweep), environment={}))


def test_the_contract_has_to_be_named(folder: Path) -> None:
    file = settings(folder, {}, {})
    file.write_text(
        "\n".join(line for line in file.read_text().splitlines() if "collector" not in line)
    )

    with pytest.raises(WrongSettings, match="collector_contract is needed by hot"):
        load_signer(file, environment={})
