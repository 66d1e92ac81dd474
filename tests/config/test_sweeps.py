"""What a deployment sweeps, and with whose key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.evm.wallet_seed import account_xprv, account_xpub, new_phrase, seed_of
from adapters.system.secret_files import KeyFileRefused
from config import bootstrap
from config.deployments.evm import nodes
from config.settings import WrongSettings, structure
from domain.shared.money import AssetId
from tests.config.conftest import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings


@pytest.fixture
def deposit_key(tmp_path: Path) -> Path:
    return tmp_path / "deposit_key"


@pytest.fixture
def with_keys(raw: dict[str, Any], key_file: Path, deposit_key: Path) -> dict[str, Any]:
    """Return settings that are right, with the hot wallet's key and that of deposits."""
    seed = seed_of(new_phrase())
    deposit_key.write_text(account_xprv(seed) + "\n")
    deposit_key.chmod(0o600)
    keys = {
        "xpub": account_xpub(seed),
        "hot_wallet_file": str(key_file),
        "deposit_key_file": str(deposit_key),
    }
    return raw | {"keys": keys}


def minimums(settings: Settings) -> dict[AssetId, int]:
    return dict(bootstrap.worker(settings).sweeps.minimums)


async def test_without_a_key_nothing_is_swept(raw: dict[str, Any], key_file: Path) -> None:
    raw["keys"]["hot_wallet_file"] = str(key_file)

    assert minimums(structure(raw)) == {}


async def test_tokens_are_swept_from_five_units_on(with_keys: dict[str, Any]) -> None:
    assert minimums(structure(with_keys)) == {AssetId(TOKEN): 5_000_000}


@pytest.mark.parametrize(
    ("units", "smallest"), [("0.5", 500_000), ("0.0000001", 1), ("70", 70 * 10**6)]
)
async def test_from_how_much_on_is_a_setting(
    with_keys: dict[str, Any], units: str, smallest: int
) -> None:
    with_keys["assets"][1]["sweep_from"] = units

    assert minimums(structure(with_keys)) == {AssetId(TOKEN): smallest}


@pytest.mark.parametrize("units", ["0", "-1", "NaN", "Infinity", "a lot"])
def test_what_is_no_amount_is_refused(raw: dict[str, Any], units: str) -> None:
    raw["assets"][1]["sweep_from"] = units

    with pytest.raises(WrongSettings, match="sweep_from of tUSDT"):
        structure(raw)


async def test_the_key_of_other_addresses_is_refused(with_keys: dict[str, Any], xpub: str) -> None:
    with_keys["keys"]["xpub"] = xpub

    with pytest.raises(WrongSettings, match=r"is not the key of settings\.keys\.xpub"):
        bootstrap.worker(structure(with_keys))


def test_a_key_that_others_may_read_is_refused(
    with_keys: dict[str, Any], deposit_key: Path
) -> None:
    deposit_key.chmod(0o640)

    with pytest.raises(KeyFileRefused, match="0640"):
        bootstrap.worker(structure(with_keys))


def test_what_is_no_key_is_refused(with_keys: dict[str, Any], deposit_key: Path) -> None:
    deposit_key.write_text(with_keys["keys"]["xpub"])

    with pytest.raises(KeyFileRefused, match="does not hold an extended private key"):
        bootstrap.worker(structure(with_keys))


async def test_the_api_never_reads_the_key(with_keys: dict[str, Any]) -> None:
    with_keys["keys"]["deposit_key_file"] = "/no/such/file"

    assert bootstrap.api(structure(with_keys)).assets.find(TOKEN).decimals == 6


async def test_a_key_by_name_is_a_key(with_keys: dict[str, Any]) -> None:
    """It is in the keystore, or with a signer that is a process of its own."""
    keys = {"xpub": with_keys["keys"]["xpub"], "hot_wallet_key": "hot", "deposit_key": "sweep"}
    remote = with_keys | {"keys": keys, "signer": {"socket": "/nowhere"}}

    assert minimums(structure(remote)) == {AssetId(TOKEN): 5_000_000}


class TestDelegation:
    async def test_a_chain_sweeps_together_where_it_is_told_to(
        self, with_keys: dict[str, Any]
    ) -> None:
        assert sweeps_max(structure(with_keys)) == 0

        assert sweeps_max(structure(delegating(with_keys))) == 16

    async def test_not_without_the_key(self, raw: dict[str, Any], key_file: Path) -> None:
        raw["keys"]["hot_wallet_file"] = str(key_file)

        assert sweeps_max(structure(delegating(raw))) == 0

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"collector_contract": None}, "needed by delegation"),
            ({"sweep_by": "funding"}, "by it alone"),
            ({"coins": True}, "takes coins"),
            ({"sweep_by": "magic"}, "magic"),
        ],
    )
    def test_settings_that_do_not_fit_are_refused(
        self, raw: dict[str, Any], changes: dict[str, Any], why: str
    ) -> None:
        told = delegating(raw)["chains"][0] | changes
        raw["chains"] = [{key: value for key, value in told.items() if value is not None}]

        with pytest.raises(WrongSettings, match=why):
            structure(raw)

    async def test_the_collector_is_one_that_pays_the_hot_wallet(
        self, with_keys: dict[str, Any]
    ) -> None:
        settings = structure(delegating(with_keys))

        [node] = nodes(settings, bootstrap.api(settings).assets).values()

        assert node.chain.collector == COLLECTOR.lower()
        assert node.chain.collects_to == settings.evm_chains[0].hot_wallet.lower()


COLLECTOR = "0x" + "C" * 40


def delegating(raw: dict[str, Any]) -> dict[str, Any]:
    chain = raw["chains"][0] | {"sweep_by": "delegation", "collector_contract": COLLECTOR}
    return raw | {"chains": [chain]}


def sweeps_max(settings: Settings) -> int:
    [sender] = bootstrap.worker(settings).sweeps.senders.values()
    return sender.sweeps_max
