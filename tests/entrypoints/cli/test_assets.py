"""``switchyard asset``: what stands still is shown with its reason, and let go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.memory.clock import FakeClock
from adapters.postgres.storage import PostgresStorage
from adapters.system.ids import RandomIds
from domain.ledger.parking import ParkedAsset
from tests.builders import NOON, USDT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
async def settings_file(written: Callable[..., Path], postgres_dsn: str) -> Path:
    """Write settings of a gateway one of whose assets is parked."""
    storage = PostgresStorage(dsn=postgres_dsn, clock=FakeClock(), ids=RandomIds())
    await storage.open()
    try:
        async with storage.begin() as work:
            parked = ParkedAsset(USDT.id, "books 7, chain 5", "block 9: chain transaction", NOON)
            await work.parking.park(parked)
            await work.commit()
    finally:
        await storage.close()
    asset = {"id": USDT.id, "symbol": USDT.symbol, "decimals": USDT.decimals}
    dollar = {"id": "iso4217:USD", "symbol": "USD", "decimals": 2}
    return written(database={"url": postgres_dsn}, assets=[asset, dollar])


def test_it_is_listed_and_resumed_once(
    switchyard: Callable[..., Result], settings_file: Path
) -> None:
    option = f"--settings={settings_file}"

    listed = switchyard("asset", "list", option)
    resumed = switchyard("asset", "resume", USDT.id, option)
    again = switchyard("asset", "resume", USDT.id, option)
    after = switchyard("asset", "list", option)

    assert listed.stdout.splitlines() == [
        f"parked  {USDT.symbol:8}  {USDT.id}",
        "        since   2026-03-01T12:00:00.000000Z",
        "        reason  books 7, chain 5",
        "        entry   block 9: chain transaction",
        "moves   USD       iso4217:USD",
    ]
    assert (resumed.exit_code, resumed.stdout) == (0, f"{USDT.id} moves again\n")
    assert (again.exit_code, again.stderr) == (1, f"{USDT.id} is not parked\n")
    assert "parked" not in after.stdout


def test_what_is_no_asset_is_told(switchyard: Callable[..., Result], settings_file: Path) -> None:
    told = switchyard("asset", "resume", "dollars", f"--settings={settings_file}")

    assert (told.exit_code, told.stderr) == (1, "dollars is not an asset's name\n")
