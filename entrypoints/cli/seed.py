"""``switchyard seed``: the first administrator, and a merchant to try things with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from pathlib import Path

    from config.bootstrap import OperatorServices
    from domain.merchants.model import Merchant
    from domain.merchants.roles import User


@click.command()
@click.option("--admin-email", default="admin@switchyard.example", show_default=True)
@click.option("--owner-email", default="owner@switchyard.example", show_default=True)
@click.option("--merchant-name", default="Demo merchant", show_default=True)
@settings_option
def seed(file: Path | None, *, admin_email: str, owner_email: str, merchant_name: str) -> None:
    """Make an administrator and a demo merchant, where they are missing; change nothing else.

    The merchant has a test and a live account, an owner, and a key of the test account. The key's
    text is shown by the run that makes it, and kept nowhere.
    """

    async def run(services: OperatorServices) -> int:
        from domain.seeding.model import Wanted

        seeded = await services.seeding.seed(
            Wanted(
                admin_email=admin_email,
                owner_email=owner_email,
                merchant_name=merchant_name,
                destinations=services.devnet_destinations(),
            )
        )
        made = seeded.made
        click.echo(_person("admin", seeded.admin, made))
        click.echo(_person("owner", seeded.owner, made))
        for account in (seeded.test, seeded.live):
            click.echo(_account(account, made))
        if seeded.api_key is not None:
            click.echo(f"key       {seeded.api_key}")
        if not made:
            click.echo("nothing was missing, nothing was changed")
        return 0

    operate(file, run)


def _person(what: str, user: User, made: frozenset[str]) -> str:
    role = f"  platform: {user.platform_role}" if user.platform_role else ""
    return f"{what:8}  {_was(user.email in made)}  {user.id}  {user.email}{role}"


def _account(merchant: Merchant, made: frozenset[str]) -> str:
    paid = ", ".join(f"{chain}={to}" for chain, to in merchant.payouts.destinations.items())
    to = f"  paid to {paid}" if paid else ""
    what = f"{merchant.mode}"
    return f"{what:8}  {_was(merchant.id in made)}  {merchant.id}  {merchant.name}{to}"


def _was(made: object) -> str:
    return "made   " if made else "there  "
