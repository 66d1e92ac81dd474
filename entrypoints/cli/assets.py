"""``switchyard asset``: what stands still, and letting it move again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from domain.shared.money import MalformedAssetId, asset_id
from domain.shared.rendering import render_time
from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from pathlib import Path

    from config.bootstrap import OperatorServices


@click.group()
def asset() -> None:
    """Assets, and those that are parked because books and chain disagree."""


@asset.command(name="list")
@settings_option
def asset_list(file: Path | None) -> None:
    """Show every asset, and why those that are parked stand still."""

    async def run(services: OperatorServices) -> int:
        parked = {each.asset: each for each in await services.conservation.parked()}
        for id in sorted({*services.assets.by_id, *parked}):
            known = services.assets.by_id.get(id)
            stands = parked.get(id)
            state = "parked" if stands else "moves"
            click.echo(f"{state:6}  {known.symbol if known else '?':8}  {id}")
            if stands:
                click.echo(f"        since   {render_time(stands.at)}")
                click.echo(f"        reason  {stands.reason}")
                click.echo(f"        entry   {stands.entry or 'none could be named'}")
        return 0

    operate(file, run)


@asset.command(name="resume")
@click.argument("asset_name", metavar="ASSET")
@settings_option
def asset_resume(asset_name: str, file: Path | None) -> None:
    """Let a parked asset move money again. It is parked again if books and chain still differ."""

    async def run(services: OperatorServices) -> int:
        try:
            wanted = asset_id(asset_name)
        except MalformedAssetId:
            click.echo(f"{asset_name} is not an asset's name", err=True)
            return 1
        if not await services.conservation.resume(asset=wanted):
            click.echo(f"{wanted} is not parked", err=True)
            return 1
        click.echo(f"{wanted} moves again")
        return 0

    operate(file, run)
