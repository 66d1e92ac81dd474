"""``switchyard wallets``: what lies where is shown, and what a person should do about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import attrs
import pytest
from click.testing import Result

from adapters.postgres.storage import PostgresStorage
from domain.treasury.model import Condition
from tests.builders import CHAIN, COIN, CONTRACT, USDT
from tests.domain.scene import DUE, GAS, HOT, TREASURY
from tests.domain.services import Surroundings
from tests.domain.sweeping import paid
from tests.domain.vault import COLD, HOT_TARGET, UNIT, Vault, new_vault
from tests.entrypoints.cli.conftest import CLOSED_PORT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@attrs.frozen
class Operator:
    """The command line over the database of a gateway with a cold wallet."""

    vault: Vault
    run: Callable[..., Result]


@pytest.fixture
async def operator(
    written: Callable[..., Path], switchyard: Callable[..., Result], postgres_dsn: str
) -> AsyncIterator[Operator]:
    chain = {
        "id": CHAIN,
        "rpc_url": f"http://127.0.0.1:{CLOSED_PORT}",
        "escrow_contract": CONTRACT,
        "hot_wallet": HOT,
        "treasury": TREASURY,
        "first_block": 3,
    }
    assets = [
        {"id": each.id, "symbol": each.symbol, "decimals": each.decimals} for each in (USDT, COIN)
    ]
    dollar = {"id": "iso4217:USD", "symbol": "USD", "decimals": 2}
    hot = {"asset": USDT.id, "hot_min": "20", "hot_target": "40", "hot_max": "100"}
    file = written(
        database={"url": postgres_dsn},
        chains=[chain],
        assets=[*assets, dollar],
        wallets={"cold": [{"chain": CHAIN, "address": COLD}], "hot": [hot]},
    )
    around = Surroundings()
    storage = PostgresStorage(dsn=postgres_dsn, clock=around.clock, ids=around.ids)
    await storage.open()
    try:
        vault = await new_vault(begin=storage.begin, around=around)
        yield Operator(
            vault, lambda *arguments: in_thread(switchyard, *arguments, f"--settings={file}")
        )
    finally:
        await storage.close()


def in_thread(run: Callable[..., Result], *arguments: str) -> Result:
    """Run a command, which has an event loop of its own, beside the test's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run, "wallets", *arguments).result(timeout=60)


async def test_what_lies_where_is_a_table(operator: Operator) -> None:
    vault = operator.vault
    await vault.gift(250 * UNIT)
    await vault.moved()
    intent = await paid(vault.world)

    told = operator.run()

    assert told.exit_code == 0, told.stderr
    lines = [line.split() for line in told.stdout.splitlines()]
    assert lines[0] == ["asset", "hot", "cold", "deposits", "unswept", "owed", "state"]
    zeros, since = "0" * 18, f"{intent.created_at:%Y-%m-%d}"
    assert [f"40.{zeros}", f"210.{zeros}", f"25.{zeros}"] == lines[1][1:4]
    assert lines[1][4:] == [f"25.{zeros}", "at", "1", "since", since, f"24.75{zeros[2:]}", "ok"]
    assert lines[4] == ["gas", "tank", "held", "a", "day", "days", "left", "state"]
    assert lines[5][0] == CHAIN
    assert lines[5][2] == "ETH"
    assert lines[5][-1] == "ok"


async def test_programs_read_it_as_json(operator: Operator) -> None:
    vault = operator.vault
    await vault.gift(250 * UNIT)
    [transfer] = await vault.rebalance()

    told = operator.run("--json")

    assert told.exit_code == 0, told.stderr
    shown = json.loads(told.stdout)
    [tank] = shown["gas_tanks"]
    assert (tank["held"]["amount"], tank["days_left"]) == (str(GAS), None)
    token, coin = shown["holdings"]
    assert (token["asset"], coin["asset"]) == (USDT.id, COIN.id)
    assert token["moving_to_cold"]["id"] == transfer.id
    assert token["can_be_paid_out"]["amount"] == str(HOT_TARGET)
    assert token["unswept"] == {
        "asset": USDT.id,
        "amount": "0",
        "decimal": "0." + "0" * 18,
        "symbol": "USDT",
        "addresses": 0,
        "oldest_address_at": None,
    }


async def test_what_a_person_should_bring_is_said(operator: Operator) -> None:
    vault = operator.vault
    for _ in range(2):
        await paid(vault.world)
    await vault.gift(250 * UNIT)
    await vault.moved()
    assert vault.there()[0] * 2 == 99 * UNIT
    [settlement] = await vault.world.services.settlements.run()
    await vault.world.send_and_settle_down()
    await vault.rebalance()
    alarm = await vault.alarm()
    assert alarm is not None
    assert alarm.condition is Condition.LOW

    told = operator.run()

    assert told.exit_code == 0, told.stderr
    assert settlement.money.amount == 2 * DUE * 99 // 100
    assert told.stdout.splitlines()[-1] == f"bring 40.{'0' * 18} USDT from the cold wallet"
