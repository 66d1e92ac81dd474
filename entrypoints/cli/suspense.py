"""``switchyard suspense``: money that nobody could assign, and what is decided of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from domain.shared.ids import IntentId, SuspenseId
from entrypoints.cli.failures import told
from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from config.bootstrap import OperatorServices
    from domain.shared.events import Json

PAGE = 100
"""How many items are listed where nothing else is said."""

by_option = click.option("--by", required=True, help="Who decides. Kept with the decision.")
note_option = click.option("--note", required=True, help="Why. Kept with the decision.")
json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")


@click.group()
def suspense() -> None:
    """Money that nobody could assign: see it, and give it to whom it belongs.

    An item is named by what came in: CHAIN/TRANSACTION/POSITION, as `suspense list` shows it.
    """


@suspense.command(name="list")
@click.option("--all", "ended", is_flag=True, help="Those that were decided as well.")
@click.option("--limit", type=click.IntRange(1, 1000), default=PAGE, show_default=True)
@click.option("--after", metavar="ITEM", help="Go on behind this item.")
@json_option
@settings_option
def suspense_list(
    file: Path | None, *, ended: bool, limit: int, after: str | None, as_json: bool
) -> None:
    """List what waits, the oldest first."""

    async def run(services: OperatorServices) -> int:
        from domain.suspense.view import view_item

        items = await services.suspense.page(
            ended=ended, after=SuspenseId(after) if after else None, limit=limit + 1
        )
        now = services.clock.now()
        views = [view_item(item, services.assets, at=now) for item in items[:limit]]
        more = len(items) > limit
        if as_json:
            click.echo(json.dumps({"items": views, "has_more": more}, indent=2))
            return 0
        for view in views:
            click.echo(_line(view))
        rest = f"; more behind {views[-1]['id']}" if more else ""
        click.echo(f"{len(views)} items{rest}")
        return 0

    _operate(file, run)


@suspense.command(name="show")
@click.argument("item")
@json_option
@settings_option
def suspense_show(item: str, file: Path | None, *, as_json: bool) -> None:
    """Show an item, and all that was decided of it."""

    async def run(services: OperatorServices) -> int:
        from domain.suspense.view import view_decision, view_item, view_return

        shown = await services.suspense.show(item_id=SuspenseId(item))
        view = view_item(shown.item, services.assets, at=services.clock.now())
        decisions = [view_decision(it, services.assets) for it in shown.decisions]
        payout = view_return(shown.payout) if shown.payout else None
        if as_json:
            click.echo(json.dumps(view | {"decisions": decisions, "return": payout}, indent=2))
            return 0
        for name, value in view.items():
            click.echo(f"{name:12}  {_cell(value)}")
        for decision in decisions:
            click.echo(_decided(decision))
        if payout:
            click.echo(f"return        {_cell(payout)}")
        return 0

    _operate(file, run)


@suspense.command(name="assign")
@click.argument("item")
@click.argument("intent")
@by_option
@note_option
@settings_option
def suspense_assign(item: str, intent: str, file: Path | None, *, by: str, note: str) -> None:
    """Let an intent have the money as if it had been paid to it."""

    async def run(services: OperatorServices) -> int:
        taken = await services.suspense.assign(
            item_id=SuspenseId(item), intent_id=IntentId(intent), by=by, note=note
        )
        click.echo(f"{taken.id}  {taken.status}  {taken.exception}")
        return 0

    _operate(file, run)


@suspense.command(name="return")
@click.argument("item")
@click.option("--to", required=True, metavar="ADDRESS", help="Where it is sent, all of it.")
@by_option
@note_option
@settings_option
def suspense_return(item: str, file: Path | None, *, to: str, by: str, note: str) -> None:
    """Send the money to an address on its chain; the platform bears the network's fee."""

    async def run(services: OperatorServices) -> int:
        payout = await services.suspense.give_back(
            item_id=SuspenseId(item), to=to, by=by, note=note
        )
        click.echo(f"{payout.id}  {payout.state}  to {payout.destination}")
        return 0

    _operate(file, run)


@suspense.command(name="top-up")
@click.argument("item")
@by_option
@note_option
@settings_option
def suspense_top_up(item: str, file: Path | None, *, by: str, note: str) -> None:
    """Book the money as our own, put into the hot wallet by one of us."""

    async def run(services: OperatorServices) -> int:
        ended = await services.suspense.top_up(item_id=SuspenseId(item), by=by, note=note)
        click.echo(f"{ended.id}  {ended.state}")
        return 0

    _operate(file, run)


def _operate(file: Path | None, act: Callable[[OperatorServices], Awaitable[int]]) -> None:
    """Run a command; tell what speaks against a decision in a line."""
    from domain.chains.model import ChainParked
    from domain.intents.model import IntentTransitionRefused
    from domain.suspense import model
    from domain.suspense.service import NotFinalYet, NotInHotWallet, OwnAddress
    from ports.addresses import AddressRefused

    refusals = (
        AddressRefused,
        ChainParked,
        IntentTransitionRefused,
        NotFinalYet,
        NotInHotWallet,
        OwnAddress,
        model.AlreadyCounted,
        model.AlreadyDecided,
        model.MalformedSuspenseId,
        model.NobodyDecides,
        model.NotATopUp,
        model.OtherAsset,
        model.OutOfReach,
    )

    async def telling(services: OperatorServices) -> int:
        try:
            return await act(services)
        except refusals as refusal:
            click.echo(told(refusal), err=True)
            return 1

    operate(file, telling)


def _line(view: Mapping[str, Json]) -> str:
    return "  ".join(
        [
            f"{view['id']}",
            f"{view['state']:9}",
            f"{view['why']:12}",
            f"{_cell(view['amount_left'])}",
            f"from {view['source']}",
            f"memo {json.dumps(view['memo'])}" if view["memo"] else "no memo",
            f"to {view['paid_to']}" if view["paid_to"] else "to nobody",
            f"{_age(view['age_seconds'])}",
        ]
    )


def _decided(decision: Mapping[str, Json]) -> str:
    where = decision["intent"] or decision["destination"] or "us"
    line = f"{decision['at']}  {decision['verdict']}  {_cell(decision['amount'])} to {where}"
    return f"{line} by {decision['by']}: {decision['note']}"


def _cell(value: Json) -> str:
    """Write a value in one line: an amount in whole units, what is not there as a dash."""
    match value:
        case None:
            return "-"
        case {"amount": amount, "decimal": decimal, "asset": asset, "symbol": symbol}:
            return f"{decimal or amount} {symbol or asset}"
        case dict():
            return "  ".join(f"{name} {_cell(each)}" for name, each in value.items())
        case _:
            return str(value)


def _age(seconds: Json) -> str:
    if not isinstance(seconds, int):
        return "-"
    hours = max(seconds, 0) // 3600
    return f"{hours // 24} d {hours % 24} h"
