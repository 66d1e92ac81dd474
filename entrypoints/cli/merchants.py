"""``switchyard merchant``: take merchants on, and give out keys."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from domain.merchants.scopes import Scope
from domain.shared.ids import KeyId, MerchantId
from domain.shared.modes import Mode
from domain.shared.money import ChainId
from entrypoints.cli.destinations import destination
from entrypoints.cli.operating import operate, settings_option
from entrypoints.cli.people import member

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from config.bootstrap import OperatorServices
    from domain.merchants.model import ApiKey, Network

FEE_BPS_MAX = 10_000


class _NetworkParameter(click.ParamType["Network"]):
    """A network in CIDR notation."""

    name = "network"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Network:
        try:
            return ipaddress.ip_network(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _DestinationParameter(click.ParamType["tuple[ChainId, str]"]):
    """A chain and an address on it."""

    name = "chain=address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[ChainId, str]:
        chain, _, address = str(value).partition("=")
        if not chain or not address:
            self.fail(f"{value!r} is not CHAIN=ADDRESS", param, ctx)
        return ChainId(chain), address


@click.group()
def merchant() -> None:
    """Merchants, and the keys of their programs."""


merchant.add_command(destination)
merchant.add_command(member)


@merchant.command(name="create")
@click.argument("name")
@click.option("--fee-bps", type=click.IntRange(0, FEE_BPS_MAX), required=True)
@click.option(
    "--destination",
    "destinations",
    type=_DestinationParameter(),
    multiple=True,
    help="Where he is paid out on a chain, as CHAIN=ADDRESS. May be repeated.",
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="Open an account for this money alone; left out, one for each, linked.",
)
@settings_option
def create(
    name: str,
    file: Path | None,
    *,
    fee_bps: int,
    destinations: tuple[tuple[ChainId, str], ...],
    mode: str | None,
) -> None:
    """Take a merchant on."""

    async def run(services: OperatorServices) -> int:
        from domain.fees.model import FeeSchedule
        from domain.merchants.model import PayoutTerms

        paid_at = {
            chain: await services.destinations.sound(chain=chain, address=address)
            for chain, address in destinations
        }
        terms: Mapping[str, Any] = {
            "name": name,
            "fees": FeeSchedule(fee_bps),
            "payouts": PayoutTerms(destinations=paid_at),
        }
        if mode is None:
            made = [*await services.merchants.register_twins(**terms)]
        else:
            made = [await services.merchants.register(**terms, mode=Mode(mode))]
        for each in made:
            click.echo(f"{each.mode}  {each.id}")
        return 0

    operate(file, run)


@merchant.command(name="list")
@settings_option
def list_merchants(file: Path | None) -> None:
    """List the accounts of merchants, oldest first."""

    async def run(services: OperatorServices) -> int:
        for each in await services.merchants.all():
            twin = f"  twin {each.twin}" if each.twin else ""
            click.echo(f"{each.mode}  {each.id}  {each.fees.bps} bps  {each.name}{twin}")
        return 0

    operate(file, run)


@merchant.group()
def key() -> None:
    """API keys."""


@key.command(name="create")
@click.argument("merchant_id")
@click.option("--name", required=True, help="No two active keys of a merchant's share it.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    required=True,
    help="What it may do. May be repeated.",
)
@click.option(
    "--network",
    "networks",
    type=_NetworkParameter(),
    multiple=True,
    help="From where it may be used, in CIDR notation. May be repeated; left out, from anywhere.",
)
@click.option("--expires-in-days", type=click.IntRange(1, 3650), help="Left out, never.")
@settings_option
def create_key(
    merchant_id: str,
    file: Path | None,
    *,
    name: str,
    scopes: tuple[str, ...],
    networks: tuple[Network, ...],
    expires_in_days: int | None,
) -> None:
    """Give out an API key. Its text is shown this once and kept nowhere."""

    async def run(services: OperatorServices) -> int:
        from domain.merchants.rotation import KeyNameTaken, TooManyKeys
        from entrypoints.cli.failures import told

        ends = services.clock.now() + timedelta(days=expires_in_days) if expires_in_days else None
        try:
            issued = await services.merchants.create_key(
                merchant_id=MerchantId(merchant_id),
                name=name,
                scopes=[Scope(scope) for scope in scopes],
                networks=networks,
                expires_at=ends,
            )
        except (KeyNameTaken, TooManyKeys) as error:
            click.echo(told(error), err=True)
            return 1
        click.echo(f"{issued.key.id}  {issued.text}")
        return 0

    operate(file, run)


@key.command(name="list")
@click.argument("merchant_id")
@settings_option
def list_keys(merchant_id: str, file: Path | None) -> None:
    """List a merchant's API keys: those not revoked first, the newest first."""

    async def run(services: OperatorServices) -> int:
        for each in await services.merchants.keys(owner=MerchantId(merchant_id)):
            click.echo(_line(each, at=services.clock.now()))
        return 0

    operate(file, run)


@key.command(name="revoke")
@click.argument("key_id")
@settings_option
def revoke_key(key_id: str, file: Path | None) -> None:
    """Have an API key open nothing any more, after five seconds at most."""

    async def run(services: OperatorServices) -> int:
        revoked = await services.merchants.revoke_key(key_id=KeyId(key_id), owner=None)
        click.echo(_line(revoked, at=services.clock.now()))
        return 0

    operate(file, run)


def _line(key: ApiKey, *, at: datetime) -> str:
    if key.revoked_at is not None:
        state = "revoked"
    else:
        state = "active " if key.is_active(at=at) else "expired"
    used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
    limits = f"  from {','.join(map(str, key.networks))}" if key.networks else ""
    scopes = ",".join(sorted(key.scopes))
    return f"{state}  {key.id}  {key.masked}  {key.name}  {scopes}  last used {used}{limits}"
