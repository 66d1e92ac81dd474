"""Hot and cold wallets and gas tanks, as the settings have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from config import bootstrap
from config.settings import WrongSettings, structure
from domain.shared.money import AssetId, ChainId
from domain.treasury.policy import HotThresholds, TankThresholds
from tests.config.conftest import CHAIN, TOKEN

if TYPE_CHECKING:
    from domain.treasury.service import TreasuryService

COLD = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
"""With its checksum, from EIP-55's own examples."""
NATIVE = f"{CHAIN}/slip44:60"
HOT = {"asset": TOKEN, "hot_min": "20", "hot_target": "40.5", "hot_max": "100"}


def wallets(**tables: object) -> dict[str, Any]:
    """Return a table of settings that is right, with what a test is about changed by name."""
    return {"cold": [{"chain": CHAIN, "address": COLD}], "hot": [HOT], **tables}


def treasury(raw: dict[str, Any]) -> TreasuryService:
    return bootstrap.operator(structure(raw)).treasury


async def test_without_them_nothing_goes_cold_and_days_of_gas_are_watched(
    raw: dict[str, Any],
) -> None:
    found = treasury(raw)

    assert found.hot == {}
    assert found.places[ChainId(CHAIN)].cold_wallet is None
    assert found.tanks == {
        CHAIN: TankThresholds(average_days=14, empty_days=1, low_days=7, ok_days=14)
    }


async def test_thresholds_are_in_whole_units_and_the_address_as_it_is_stored(
    raw: dict[str, Any],
) -> None:
    gas = {"chain": CHAIN, "low_days": 3, "low_below": "0.5", "ok_from": "1"}
    found = treasury(raw | {"wallets": wallets(gas=[gas])})

    assert found.places[ChainId(CHAIN)].cold_wallet == COLD.lower()
    assert found.hot == {
        AssetId(TOKEN): HotThresholds(
            minimum=20 * 10**6, target=40_500_000, maximum=100 * 10**6, least=10**6
        )
    }
    assert found.tanks[ChainId(CHAIN)] == TankThresholds(
        average_days=14,
        empty_days=1,
        low_days=3,
        ok_days=14,
        low_below=5 * 10**17,
        ok_from=10**18,
    )


async def test_every_process_knows_the_cold_wallet(raw: dict[str, Any], key_file: Any) -> None:  # noqa: ANN401 (a path)
    raw["keys"]["hot_wallet_file"] = str(key_file)
    told = structure(raw | {"wallets": wallets()})

    for services in (bootstrap.worker(told), bootstrap.operator(told)):
        [places] = services.conservation.comparing.places.values()
        assert places.cold_wallet == COLD.lower()


async def test_on_ton_it_is_read_as_ton_writes_it(raw: dict[str, Any]) -> None:
    raw_address = "0:" + "5f" * 32
    ton = {
        "id": "ton:-239",
        "network_config_file": "/no/such/file",
        "hot_wallet": "0:" + "6f" * 32,
        "first_block": 1,
    }
    raw["chains"].append(ton)
    cold = [{"chain": "ton:-239", "address": raw_address}]

    assert structure(raw | {"wallets": {"cold": cold}}).wallets.cold[0].address == raw_address
    with pytest.raises(WrongSettings, match=r"wallets\.cold: 0:6f6f.* has another purpose"):
        structure(raw | {"wallets": {"cold": [{**cold[0], "address": ton["hot_wallet"]}]}})


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"cold": [{"chain": CHAIN, "address": COLD.replace("aA", "AA")}]}, "checksum"),
        ({"cold": [{"chain": CHAIN, "address": "0x" + "0" * 40}]}, "nobody's"),
        ({"cold": [{"chain": CHAIN, "address": "0x" + "f" * 40}]}, "has another purpose"),
        ({"cold": [{"chain": CHAIN, "address": "0x" + "e" * 40}]}, "has another purpose"),
        ({"cold": [{"chain": "eip155:2", "address": COLD}]}, "eip155:2 is not one of the chains"),
        ({"cold": [{"chain": CHAIN, "address": COLD}] * 2}, r"wallets\.cold: .* more than once"),
        ({"cold": []}, "has no cold wallet on its chain"),
        ({"hot": [HOT, HOT]}, r"wallets\.hot: .* more than once"),
        ({"hot": [{**HOT, "asset": NATIVE}]}, "pays for fees; only tokens go cold"),
        ({"hot": [{**HOT, "asset": f"{CHAIN}/erc20:0x1"}]}, "is not one of the assets"),
        ({"hot": [{**HOT, "hot_max": "40.5"}]}, "0 <= min < target < max"),
        ({"hot": [{**HOT, "hot_min": "40.5"}]}, "0 <= min < target < max"),
        ({"hot": [{**HOT, "hot_max": "a lot"}]}, "hot_max must be a decimal number"),
        ({"hot": [{**HOT, "hot_max": "Infinity"}]}, "hot_max must be a decimal number"),
        ({"hot": [{**HOT, "hot_min": "-1"}]}, "hot_min must be a decimal number"),
        ({"hot": [{**HOT, "least_transfer": "0"}]}, "the least transfer is above 0"),
        ({"gas": [{"chain": "eip155:2"}]}, "eip155:2 is not one of the chains"),
        ({"gas": [{"chain": CHAIN}] * 2}, r"wallets\.gas: .* more than once"),
        ({"gas": [{"chain": CHAIN, "low_days": 14}]}, "empty_days < low_days < ok_days"),
        ({"gas": [{"chain": CHAIN, "low_below": "2", "ok_from": "1"}]}, "low_below <= ok_from"),
        ({"warm": []}, "wallets"),
    ],
)
def test_what_cannot_be_used_is_refused(
    raw: dict[str, Any], tables: dict[str, Any], message: str
) -> None:
    with pytest.raises(WrongSettings, match=message):
        structure(raw | {"wallets": wallets(**tables)})


def test_the_hot_wallet_is_no_cold_one(raw: dict[str, Any], hot_wallet: str) -> None:
    with pytest.raises(WrongSettings, match="has another purpose"):
        structure(raw | {"wallets": wallets(cold=[{"chain": CHAIN, "address": hot_wallet}])})
