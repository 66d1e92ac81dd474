"""From how much on a customer's deposit is credited, and whose addresses are watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.ids import SequentialIds
from adapters.memory.store import Store
from config import bootstrap
from config.deployments import ton
from config.settings import WrongSettings, structure
from domain.chains.places import Places
from domain.customers.reach import reach_of
from domain.shared.money import AssetId, ChainId
from tests.builders import address_of, an_intent, deposit_to
from tests.config.conftest import TOKEN
from tests.contracts.customers import a_customer_address, stored
from tests.contracts.storage import given

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings

CHAIN = ChainId("ton:-3")


def minimums(settings: Settings) -> dict[AssetId, int]:
    return dict(bootstrap.worker(settings).watcher.deposit_minimums)


async def test_everything_is_credited_where_nothing_else_is_said(
    raw: dict[str, Any], key_file: Path
) -> None:
    raw["keys"]["hot_wallet_file"] = str(key_file)

    assert minimums(structure(raw)) == {}


@pytest.mark.parametrize(
    ("units", "smallest"), [("0.5", 500_000), ("0.0000001", 1), ("70", 70 * 10**6)]
)
async def test_from_how_much_on_is_a_setting(
    raw: dict[str, Any], key_file: Path, units: str, smallest: int
) -> None:
    raw["keys"]["hot_wallet_file"] = str(key_file)
    raw["assets"][1]["deposit_from"] = units

    assert minimums(structure(raw)) == {AssetId(TOKEN): smallest}


@pytest.mark.parametrize("units", ["0", "-1", "NaN", "Infinity", "a lot"])
def test_what_is_no_amount_is_refused(raw: dict[str, Any], units: str) -> None:
    raw["assets"][1]["deposit_from"] = units

    with pytest.raises(WrongSettings, match="deposit_from of tUSDT"):
        structure(raw)


async def test_on_ton_wallets_of_intents_and_customers_are_read() -> None:
    store = Store(clock=FakeClock(), ids=SequentialIds())
    places = Places(
        chain=CHAIN,
        native=AssetId(f"{CHAIN}/slip44:607"),
        escrow_contract=None,
        hot_wallet="hot",
        treasury=None,
        first_block=1,
        methods=frozenset(),
    )
    here = a_customer_address("ca_01", reach=reach_of(CHAIN, places.mode))
    await stored(store.begin, here, a_customer_address("ca_02"))
    await given(store.begin, an_intent("pi_01", pay_to=deposit_to("pi_01", index=1, chain=CHAIN)))

    assert await ton.OwnedWallets(store.begin, places)() == [address_of("pi_01"), here.address]
