"""A deployment with TON beside an EVM chain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from adapters.system.secret_files import KeyFileRefused
from adapters.ton.highload import HighloadWallet
from adapters.ton.key_file import create_key_file
from config import bootstrap
from config.settings import WrongSettings, structure
from domain.chains.finality import Rung
from domain.intents.model import Method
from domain.shared.money import AssetId, ChainId, Money
from tests.config.conftest import CHAIN

if TYPE_CHECKING:
    from pathlib import Path

TON = "ton:-3"
COIN = f"{TON}/slip44:607"
MASTER = "kQB" + "A" * 45
"""A text that is shaped like a master's address, and is none."""
OTHERWISE = "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs"
"""A master's address, as it is spelt on the main network."""
USDT = f"{TON}/jetton:kQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_ntm"


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, bytes]:
    return {name: create_key_file(tmp_path / name) for name in ("hot", "deposits", "other")}


@pytest.fixture
def table(tmp_path: Path, keys: dict[str, bytes]) -> dict[str, Any]:
    """Return what the settings say of the chain, in a process without keys."""
    network = tmp_path / "network.json"
    network.write_text(json.dumps({"liteservers": [{"port": 1}]}))
    wallet = HighloadWallet(public_key=keys["hot"], timeout_seconds=3_600)
    return {
        "id": TON,
        "network_config_file": str(network),
        "hot_wallet": wallet.address.friendly(bounceable=False, test_only=True),
        "first_block": 1,
    }


@pytest.fixture
def with_deposits(table: dict[str, Any], keys: dict[str, bytes]) -> dict[str, Any]:
    return table | {"deposit_public_key": keys["deposits"].hex()}


@pytest.fixture
def signing(with_deposits: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    return with_deposits | {
        "hot_wallet_file": str(tmp_path / "hot"),
        "deposit_key_file": str(tmp_path / "deposits"),
    }


def with_ton(raw: dict[str, Any], table: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    coin = {"id": COIN, "symbol": "GRAM", "decimals": 9}
    return raw | {"chains": [*raw["chains"], table], "assets": [*raw["assets"], coin, *more]}


@pytest.fixture
def worker_keys(raw: dict[str, Any], key_file: Path) -> dict[str, Any]:
    return raw | {"keys": raw["keys"] | {"hot_wallet_file": str(key_file)}}


def test_a_chain_is_taken_for_what_its_name_says(
    raw: dict[str, Any], table: dict[str, Any]
) -> None:
    settings = structure(with_ton(raw, table))

    assert [chain.id for chain in settings.evm_chains] == [CHAIN]
    assert [chain.id for chain in settings.ton_chains] == [TON]


async def test_memos_are_offered_and_addresses_where_there_are_deposit_wallets(
    raw: dict[str, Any], table: dict[str, Any], with_deposits: dict[str, Any]
) -> None:
    for told, methods in (
        (table, {Method.MEMO}),
        (with_deposits, {Method.MEMO, Method.ADDRESS}),
    ):
        services = bootstrap.container(structure(with_ton(raw, told)))
        places = services.adapters.places()[ChainId(TON)]
        assert (places.methods, places.shows_coins) == (methods, True)
        assert (ChainId(TON) in services.adapters.addresses()) == (Method.ADDRESS in methods)


async def test_the_worker_reads_and_sends_on_both_chains(
    worker_keys: dict[str, Any], signing: dict[str, Any]
) -> None:
    worker = bootstrap.worker(structure(with_ton(worker_keys, signing)))

    both = {ChainId(CHAIN), ChainId(TON)}
    assert set(worker.sender.senders) == set(worker.watcher.readers) == both
    assert set(worker.sweeps.minimums) == {AssetId(COIN)}


async def test_the_wallet_has_one_name_inside(
    worker_keys: dict[str, Any], signing: dict[str, Any], keys: dict[str, bytes]
) -> None:
    worker = bootstrap.worker(structure(with_ton(worker_keys, signing)))

    wallet = HighloadWallet(public_key=keys["hot"], timeout_seconds=3_600)
    assert worker.sender.places[ChainId(TON)].hot_wallet == wallet.address.raw


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "ton:mainnet"}, "id"),
        ({"deposit_public_key": "00"}, "deposit_public_key"),
        ({"first_block": 0}, "first_block"),
        ({"jetton_limits": "generous"}, "jetton_limits"),
        ({"rpc_url": "http://127.0.0.1"}, "rpc_url"),
    ],
)
def test_what_is_wrong_is_named(
    raw: dict[str, Any], table: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(WrongSettings, match=message):
        structure(with_ton(raw, table | change))


def test_a_chain_is_named_once(raw: dict[str, Any], table: dict[str, Any]) -> None:
    told = with_ton(raw, table)
    told["chains"] = [*told["chains"], table]

    with pytest.raises(WrongSettings, match="ton:-3 more than once"):
        structure(told)


def test_the_hot_wallets_address_is_read_with_its_checksum(
    raw: dict[str, Any], table: dict[str, Any]
) -> None:
    mistyped = table | {"hot_wallet": table["hot_wallet"][:-1] + "_"}

    with pytest.raises(WrongSettings, match="no TON address"):
        bootstrap.api(structure(with_ton(raw, mistyped)))


class TestNetwork:
    async def test_it_must_be_readable(
        self, raw: dict[str, Any], table: dict[str, Any], tmp_path: Path
    ) -> None:
        for content, message in ((None, "No such file"), ("{", "not JSON"), ("{}", "liteservers")):
            file = tmp_path / "another.json"
            if content is not None:
                file.write_text(content)
            told = with_ton(raw, table | {"network_config_file": str(file)})
            with pytest.raises(WrongSettings, match=message):
                bootstrap.operator(structure(told))

    async def test_its_coin_is_one_of_the_assets(
        self, raw: dict[str, Any], table: dict[str, Any]
    ) -> None:
        told = with_ton(raw, table) | {"assets": raw["assets"]}

        with pytest.raises(WrongSettings, match=f"{COIN} is not one of the assets"):
            bootstrap.operator(structure(told))

    @pytest.mark.parametrize("master", [MASTER, OTHERWISE])
    async def test_a_jetton_has_one_name(
        self, raw: dict[str, Any], table: dict[str, Any], master: str
    ) -> None:
        jetton = {"id": f"{TON}/jetton:{master}", "symbol": "USDT", "decimals": 6}

        with pytest.raises(WrongSettings):
            bootstrap.operator(structure(with_ton(raw, table, jetton)))

    async def test_a_jetton_is_known_by_its_master(
        self, raw: dict[str, Any], table: dict[str, Any]
    ) -> None:
        jetton = {"id": USDT, "symbol": "USDT", "decimals": 6}
        services = bootstrap.container(structure(with_ton(raw, table, jetton)))

        [network] = services.adapters.networks().values()
        assert [each.asset.id for each in network.jettons] == [USDT]
        assert network.native.symbol == "GRAM"


class TestKeys:
    async def test_the_worker_needs_the_hot_wallets(
        self, worker_keys: dict[str, Any], with_deposits: dict[str, Any]
    ) -> None:
        with pytest.raises(WrongSettings, match="hot_wallet_file of ton:-3"):
            bootstrap.worker(structure(with_ton(worker_keys, with_deposits)))

    @pytest.mark.parametrize("wrong", ["hot_wallet_file", "deposit_key_file"])
    async def test_they_must_be_those_of_the_wallets(
        self, worker_keys: dict[str, Any], signing: dict[str, Any], tmp_path: Path, wrong: str
    ) -> None:
        told = with_ton(worker_keys, signing | {wrong: str(tmp_path / "other")})

        with pytest.raises(WrongSettings, match="is not the key of"):
            bootstrap.worker(structure(told))

    async def test_without_one_for_deposits_nothing_is_swept(
        self, worker_keys: dict[str, Any], signing: dict[str, Any]
    ) -> None:
        del signing["deposit_key_file"]

        assert bootstrap.worker(structure(with_ton(worker_keys, signing))).sweeps.minimums == {}


class TestToncenter:
    async def test_the_second_source_is_asked_with_the_key_in_a_file(
        self, raw: dict[str, Any], table: dict[str, Any], tmp_path: Path
    ) -> None:
        (tmp_path / "key").write_text("madeup\n")
        (tmp_path / "key").chmod(0o600)
        told = {"toncenter_url": "https://toncenter.example/api/v2"} | {
            "toncenter_key_file": str(tmp_path / "key")
        }
        services = bootstrap.container(structure(with_ton(raw, table | told)))

        [network] = services.adapters.networks().values()
        assert network.toncenter_key == "madeup"
        assert set(services.adapters.toncenters()) == {ChainId(TON)}
        assert "madeup" not in repr(network)

    async def test_a_key_that_others_can_read_is_refused(
        self, raw: dict[str, Any], table: dict[str, Any], tmp_path: Path
    ) -> None:
        (tmp_path / "key").write_text("madeup\n")
        told = {"toncenter_url": "https://toncenter.example/api/v2"} | {
            "toncenter_key_file": str(tmp_path / "key")
        }
        with pytest.raises(KeyFileRefused):
            bootstrap.operator(structure(with_ton(raw, table | told)))

    def test_it_is_reached_by_tls_outside_this_machine(
        self, raw: dict[str, Any], table: dict[str, Any]
    ) -> None:
        told = table | {"toncenter_url": "http://toncenter.example/api/v2"}
        with pytest.raises(WrongSettings, match="https"):
            structure(with_ton(raw, told))

    @pytest.mark.parametrize("count", [1, 2])
    async def test_large_amounts_may_want_its_word_too(
        self, raw: dict[str, Any], table: dict[str, Any], count: int
    ) -> None:
        large = {"asset": COIN, "at_least": "2.5", "quorum": 2}
        second = {"toncenter_url": "https://toncenter.example/api/v2"} if count == 2 else {}
        told = with_ton(raw, table | second | {"large_amounts": [large]})
        if count == 1:
            with pytest.raises(WrongSettings, match="quorum of more than there are providers"):
                structure(told)
            return

        found = bootstrap.operator(structure(told)).watcher.ladders[ChainId(TON)]

        assert found.rungs == (Rung(at_least=Money(2_500_000_000, AssetId(COIN)), quorum=2),)
