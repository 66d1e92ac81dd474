"""``switchyard user`` and ``switchyard merchant member``: people, and what each may do where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from domain.merchants.roles import Role
from domain.operators.roles import PlatformRole
from domain.shared.ids import MerchantId
from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from pathlib import Path

    from config.bootstrap import OperatorServices
    from domain.merchants.roles import User

NOBODY = "none"

_platform_roles = click.Choice([*(role.value for role in PlatformRole), NOBODY])


@click.group()
def user() -> None:
    """People, of merchants and of the platform. Nobody signs in yet."""


@user.command(name="create")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--platform-role", type=_platform_roles, default=NOBODY, show_default=True)
@settings_option
def create_user(email: str, file: Path | None, *, name: str, platform_role: str) -> None:
    """Take a person on, who is known by the e-mail address."""

    async def run(services: OperatorServices) -> int:
        made = await services.people.create(
            email=email, name=name, platform_role=_role(platform_role)
        )
        click.echo(_line(made))
        return 0

    operate(file, run)


@user.command(name="list")
@settings_option
def list_users(file: Path | None) -> None:
    """List everybody, by e-mail address."""

    async def run(services: OperatorServices) -> int:
        for each in await services.people.all():
            click.echo(_line(each))
        return 0

    operate(file, run)


@user.command(name="platform-role")
@click.argument("email")
@click.argument("role", type=_platform_roles)
@settings_option
def set_platform_role(email: str, role: str, file: Path | None) -> None:
    """Say what a person is for the platform from now on."""

    async def run(services: OperatorServices) -> int:
        changed = await services.people.set_platform_role(email=email, role=_role(role))
        click.echo(_line(changed))
        return 0

    operate(file, run)


@click.group()
def member() -> None:
    """Who works for a merchant. The first one is an owner, and there always is one."""


@member.command(name="set")
@click.argument("merchant_id")
@click.argument("email")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@settings_option
def set_member(merchant_id: str, email: str, role: str, file: Path | None) -> None:
    """Say what a person is at a merchant's from now on."""

    async def run(services: OperatorServices) -> int:
        await services.people.appoint(
            merchant_id=MerchantId(merchant_id), email=email, role=Role(role), by=None
        )
        click.echo(f"{role}  {email}")
        return 0

    operate(file, run)


@member.command(name="list")
@click.argument("merchant_id")
@settings_option
def list_members(merchant_id: str, file: Path | None) -> None:
    """List who works for a merchant, by e-mail address."""

    async def run(services: OperatorServices) -> int:
        for each in await services.people.members(merchant_id=MerchantId(merchant_id)):
            click.echo(f"{each.role}  {each.user.id}  {each.user.email}  {each.user.name}")
        return 0

    operate(file, run)


@member.command(name="remove")
@click.argument("merchant_id")
@click.argument("email")
@settings_option
def remove_member(merchant_id: str, email: str, file: Path | None) -> None:
    """Have a person work for a merchant no more."""

    async def run(services: OperatorServices) -> int:
        await services.people.appoint(
            merchant_id=MerchantId(merchant_id), email=email, role=None, by=None
        )
        click.echo(f"removed  {email}")
        return 0

    operate(file, run)


def _role(text: str) -> PlatformRole | None:
    return None if text == NOBODY else PlatformRole(text)


def _line(user: User) -> str:
    return f"{user.id}  {user.email}  {user.name}  platform: {user.platform_role or NOBODY}"
