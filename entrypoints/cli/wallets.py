"""``switchyard wallets``: what is hot, what is cold, what is unswept, and how long gas lasts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from config.bootstrap import OperatorServices
    from domain.shared.events import Json

_HOLDINGS = ("asset", "hot", "cold", "deposits", "unswept", "owed", "state")
_TANKS = ("gas tank", "held", "a day", "days left", "state")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@settings_option
def wallets(file: Path | None, *, as_json: bool) -> None:
    """Show what lies where, by the books: hot, cold and at deposit addresses, and gas tanks."""

    async def run(services: OperatorServices) -> int:
        from domain.treasury.view import view_holdings, view_tank

        assets, treasury = services.assets, services.treasury
        holdings = [view_holdings(each, assets) for each in await treasury.holdings()]
        tanks = [view_tank(each, assets) for each in await treasury.gas_tanks()]
        if as_json:
            click.echo(json.dumps({"holdings": holdings, "gas_tanks": tanks}, indent=2))
            return 0
        for line in _table(_HOLDINGS, [_of_holdings(each) for each in holdings]):
            click.echo(line)
        click.echo()
        for line in _table(_TANKS, [_of_tank(each) for each in tanks]):
            click.echo(line)
        for each in holdings:
            if _amount(each["bring_from_cold"]) and each["condition"] != "ok":
                click.echo(f"bring {_whole(each['bring_from_cold'])} from the cold wallet")
        return 0

    operate(file, run)


def _of_holdings(view: Mapping[str, Json]) -> Sequence[str]:
    names = ("hot", "cold", "deposits")
    moving = " moving" if view["moving_to_cold"] else ""
    return [
        _symbol(view["hot"]),
        *(_decimal(view[name]) for name in names),
        _unswept(view["unswept"]),
        _decimal(view["owed"]),
        f"{view['condition']}{moving}",
    ]


def _of_tank(view: Mapping[str, Json]) -> Sequence[str]:
    days = view["days_left"]
    return [
        str(view["chain"]),
        _whole(view["held"]),
        _decimal(view["spent_per_day"]),
        "-" if days is None else str(days),
        str(view["condition"]),
    ]


def _unswept(value: Json) -> str:
    if not isinstance(value, dict) or not value["addresses"]:
        return "-"
    since = str(value["oldest_address_at"])[:10]
    return f"{value['decimal']} at {value['addresses']} since {since}"


def _symbol(value: Json) -> str:
    return str(value["symbol"] or value["asset"]) if isinstance(value, dict) else "?"


def _decimal(value: Json) -> str:
    return str(value["decimal"] or value["amount"]) if isinstance(value, dict) else "?"


def _whole(value: Json) -> str:
    return f"{_decimal(value)} {_symbol(value)}"


def _amount(value: Json) -> int:
    return int(str(value["amount"])) if isinstance(value, dict) else 0


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table's lines, each column as wide as what is in it."""
    lines = [head, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
