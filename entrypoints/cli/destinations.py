"""``switchyard merchant destination``: where merchants are paid out to, and changes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from domain.shared.actors import ActorKind, acting
from domain.shared.ids import DestinationChangeId, MerchantId
from domain.shared.money import ChainId
from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from pathlib import Path

    from config.bootstrap import OperatorServices
    from domain.destinations.model import DestinationChange, Party

CHANGES_SHOWN = 20

reason_option = click.option("--reason", help="Why. Kept with the change, and told.")


@click.group()
def destination() -> None:
    """Where a merchant is paid out to: asked for, approved by somebody else, and not at once."""


@destination.command(name="list")
@click.argument("merchant_id")
@settings_option
def list_destinations(merchant_id: str, file: Path | None) -> None:
    """List where a merchant is paid now, and the newest changes."""

    async def run(services: OperatorServices) -> int:
        owner = MerchantId(merchant_id)
        for each in await services.destinations.destinations(owner=owner):
            click.echo(f"{each.chain}  {each.address or '-'}")
        for change in await services.destinations.changes(owner=owner, limit=CHANGES_SHOWN):
            click.echo(_line(change))
        return 0

    operate(file, run)


@destination.command(name="request")
@click.argument("merchant_id")
@click.argument("chain")
@click.argument("address")
@settings_option
def request(merchant_id: str, chain: str, address: str, file: Path | None) -> None:
    """Ask for another destination on a chain; a key of the merchant's or a colleague approves."""

    async def run(services: OperatorServices) -> int:
        change = await services.destinations.request(
            owner=MerchantId(merchant_id), chain=ChainId(chain), address=address, by=_operator()
        )
        click.echo(_line(change))
        return 0

    operate(file, run)


@destination.command(name="approve")
@click.argument("change")
@settings_option
def approve(change: str, file: Path | None) -> None:
    """Let a change become effective once it has cooled down."""

    async def run(services: OperatorServices) -> int:
        approved = await services.destinations.approve(
            change_id=DestinationChangeId(change), owner=None, by=_operator()
        )
        click.echo(_line(approved))
        return 0

    operate(file, run)


@destination.command(name="refuse")
@click.argument("change")
@reason_option
@settings_option
def refuse(change: str, file: Path | None, *, reason: str | None) -> None:
    """Say no to a change that is not effective yet."""

    async def run(services: OperatorServices) -> int:
        refused = await services.destinations.refuse(
            change_id=DestinationChangeId(change), owner=None, by=_operator(), reason=reason
        )
        click.echo(_line(refused))
        return 0

    operate(file, run)


@destination.command(name="cancel")
@click.argument("change")
@reason_option
@settings_option
def cancel(change: str, file: Path | None, *, reason: str | None) -> None:
    """Take a change back that is not effective yet."""

    async def run(services: OperatorServices) -> int:
        canceled = await services.destinations.cancel(
            change_id=DestinationChangeId(change), owner=None, by=_operator(), reason=reason
        )
        click.echo(_line(canceled))
        return 0

    operate(file, run)


def _operator() -> Party:
    """Return who runs this command, as ``operate`` has said."""
    from domain.destinations.model import Party

    actor = acting()
    if actor is None:
        raise AssertionError("operate says who acts")
    return Party(ActorKind.OPERATOR, actor.id)


def _line(change: DestinationChange) -> str:
    when = f"  effective {change.effective_at:%Y-%m-%d %H:%M}" if change.effective_at else ""
    approved = f"  approved by {change.approved_by}" if change.approved_by else ""
    ended = f"  ended by {change.ended_by}" if change.ended_by else ""
    why = f"  {change.reason}" if change.reason else ""
    return (
        f"{change.state}  {change.id}  {change.chain}  {change.replaces or '-'} -> "
        f"{change.address}  asked by {change.requested_by}{approved}{when}{ended}{why}"
    )
