"""``switchyard suspense``: what nobody could assign is listed, decided once, and told."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from click.testing import Result

from adapters.postgres.storage import PostgresStorage
from tests.builders import CHAIN, COIN, CONTRACT, USDT, usdt
from tests.concurrency.gateway import open_gateways
from tests.domain.inbox import items, must_add_up
from tests.domain.scene import DUE, HOT, PAYER, PLACES, TREASURY
from tests.domain.services import Surroundings
from tests.domain.world import World
from tests.entrypoints.cli.conftest import CLOSED_PORT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

WHO = ("--by", "Ada", "--note", "ticket 7")
BACK = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
"""With its checksum, from EIP-55's own examples."""


@attrs.frozen
class Operator:
    """The command line over the database of a gateway in which somebody has sent us money."""

    world: World
    run: Callable[..., Result]

    async def given(self, amount: int = DUE) -> str:
        """Let money come without a word; return the name of the item that it is."""
        hash = self.world.chain.transfer(usdt(amount), source=PAYER, target=HOT)
        await self.world.settle_down()
        [name] = [it.id for it in await items(self.world.services) if it.key.transaction == hash]
        return name

    def listed(self, *options: str) -> list[dict[str, Any]]:
        """Return what ``list --json`` prints."""
        told = self.run("list", "--json", *options)
        assert told.exit_code == 0, told.stderr
        shown: list[dict[str, Any]] = json.loads(told.stdout)["items"]
        return shown

    def refused(self, *arguments: str) -> str:
        """Return what a command says that exits with 1."""
        told = self.run(*arguments)
        assert (told.exit_code, told.stdout) == (1, ""), told.stderr
        return told.stderr


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
    file = written(database={"url": postgres_dsn}, chains=[chain], assets=[*assets, dollar])
    around = Surroundings()
    storage = PostgresStorage(dsn=postgres_dsn, clock=around.clock, ids=around.ids)
    await storage.open()
    try:
        world = (await open_gateways([storage], around)).world
        yield Operator(
            world,
            lambda *arguments: in_thread(switchyard, "suspense", *arguments, f"--settings={file}"),
        )
    finally:
        await storage.close()


def in_thread(run: Callable[..., Result], *arguments: str) -> Result:
    """Run a command, which has an event loop of its own, beside the test's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run, *arguments).result(timeout=60)


async def test_what_waits_is_listed_with_what_is_known_of_it(operator: Operator) -> None:
    assert operator.listed() == []
    first, second = await operator.given(), await operator.given(5)

    [shown] = [it for it in operator.listed() if it["id"] == first]
    assert shown["amount_left"] == {
        "asset": USDT.id,
        "amount": str(DUE),
        "decimal": "25." + "0" * 18,
        "symbol": "USDT",
    }
    assert (shown["why"], shown["source"], shown["target"]) == ("no_memo", PAYER, HOT)
    assert shown["age_seconds"] > 0
    lines = operator.run("list").stdout.splitlines()
    assert {line.split()[0] for line in lines[:2]} == {first, second}
    assert lines[2:] == ["2 items"]
    page = operator.run("list", "--limit", "1").stdout.splitlines()
    assert page[1].startswith("1 items; more behind ")
    [rest] = operator.listed("--after", page[0].split()[0])
    assert {rest["id"], page[0].split()[0]} == {first, second}


async def test_it_is_assigned_once(operator: Operator) -> None:
    intent, item = await operator.world.intent(), await operator.given()

    done = operator.run("assign", item, intent.id, *WHO)
    again = operator.refused("assign", item, intent.id, *WHO)

    assert (done.exit_code, done.stdout) == (0, f"{intent.id}  succeeded  none\n")
    assert again == (
        f"The item has been decided: there is nothing left of it to decide: {item}, assigned\n"
    )
    assert operator.listed() == []
    [decided] = operator.listed("--all")
    assert decided["state"] == "assigned"
    told = operator.run("show", item).stdout
    assert f"assign  25.{'0' * 18} USDT to {intent.id} by Ada: ticket 7" in told
    await must_add_up(operator.world.services.begin, PLACES)


async def test_it_is_sent_back_and_followed(operator: Operator) -> None:
    item = await operator.given()

    done = operator.run("return", item, "--to", BACK, *WHO)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.endswith(f"approved  to {BACK.lower()}\n")
    shown = json.loads(operator.run("show", item, "--json").stdout)
    assert (shown["state"], shown["return"]["state"]) == ("returning", "approved")
    await operator.world.send_and_settle_down()

    shown = json.loads(operator.run("show", item, "--json").stdout)
    assert (shown["state"], shown["return"]["state"]) == ("returned", "confirmed")
    assert shown["decisions"][0]["destination"] == BACK.lower()
    assert operator.world.held(BACK.lower()) == DUE
    await must_add_up(operator.world.services.begin, PLACES)


async def test_a_top_up_is_booked(operator: Operator) -> None:
    item = await operator.given()

    assert operator.run("top-up", item, *WHO).stdout == f"{item}  brought_in\n"
    assert operator.listed() == []


async def test_each_misuse_is_told_in_a_line(operator: Operator) -> None:
    escrow, item = await operator.world.escrow_intent(), await operator.given()
    gone = f"{item}.7"

    for arguments, told in [
        (("show", "po_1"), "The text is no item's name: `"),
        (("show", gone), "There is no such object, or it belongs to another merchant: "),
        (("assign", gone, escrow.id, *WHO), "There is no such object"),
        (("assign", item, "pi_9", *WHO), "There is no such object"),
        (("assign", item, escrow.id, *WHO), "The intent is not in a state from which"),
        (("return", item, "--to", BACK[:-1], *WHO), "The text is no address to which money"),
        (("return", item, "--to", BACK.replace("aA", "Aa"), *WHO), "The text is no address"),
        (("return", item, "--to", HOT, *WHO), "The address is the gateway's own: money that"),
        (("top-up", item, "--by", " ", "--note", "x"), "A decision names who has made it"),
    ]:
        assert operator.refused(*arguments).startswith(told.rstrip("`")), arguments
    assert [it["id"] for it in operator.listed()] == [item]
    nobody = operator.run("top-up", item)
    assert (nobody.exit_code, "--by" in nobody.stderr) == (2, True)
