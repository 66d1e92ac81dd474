"""The command line: ``switchyard``."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.settings import load
from domain.shared.ids import PayoutId, SettlementId
from entrypoints.cli.assets import asset
from entrypoints.cli.audit import audit
from entrypoints.cli.books import books
from entrypoints.cli.chains import chain
from entrypoints.cli.demo import demo
from entrypoints.cli.failures import Telling, told_at_startup
from entrypoints.cli.jobs import jobs
from entrypoints.cli.keys import keys
from entrypoints.cli.lifetime import stop_with_parent
from entrypoints.cli.merchants import merchant
from entrypoints.cli.networks import networks
from entrypoints.cli.operating import operate, settings_option
from entrypoints.cli.operators import operator
from entrypoints.cli.pay import pay
from entrypoints.cli.people import user
from entrypoints.cli.secrets import secrets
from entrypoints.cli.seed import seed
from entrypoints.cli.signer import signer
from entrypoints.cli.simulate import simulate
from entrypoints.cli.suspense import suspense
from entrypoints.cli.ton_devnet import ton_devnet
from entrypoints.cli.wallets import wallets

if TYPE_CHECKING:
    from config.bootstrap import OperatorServices

stop_with_parent_option = click.option(
    "--stop-with-parent",
    is_flag=True,
    hidden=True,
    help="Stop when standard input ends, as it does when the parent dies.",
)


@click.group(cls=Telling, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="switchyard-gateway", prog_name="switchyard")
def main() -> None:
    """Switchyard: take payments over many rails, and never lose or double a cent."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for ours in ("adapters", "config", "domain", "entrypoints"):
        logging.getLogger(ours).setLevel(logging.INFO)


main.add_command(demo)
main.add_command(jobs)
main.add_command(keys)
main.add_command(merchant)
main.add_command(networks)
main.add_command(operator)
main.add_command(pay)
main.add_command(seed)
main.add_command(secrets)
main.add_command(user)
main.add_command(signer)
main.add_command(simulate)
main.add_command(audit)
main.add_command(books)
main.add_command(asset)
main.add_command(chain)
main.add_command(suspense)
main.add_command(ton_devnet)
main.add_command(wallets)


@main.command()
@settings_option
@stop_with_parent_option
def serve(file: Path | None, *, stop_with_parent: bool) -> None:
    """Serve the HTTP API."""
    settings = load(file)
    _watch_parent(wanted=stop_with_parent)
    from config.bootstrap import api
    from entrypoints.http.app import create_app
    from entrypoints.http.server import serve as run

    app = create_app(api(settings))
    run(
        told_at_startup(app),
        fan_out=app.state.fan_out,
        host=settings.http.host,
        port=settings.http.port,
    )


@main.command()
@settings_option
@stop_with_parent_option
def worker(file: Path | None, *, stop_with_parent: bool) -> None:
    """Run jobs: watch chains, send transactions, settle, deliver webhooks."""
    settings = load(file)
    import signal

    from config.bootstrap import worker as build
    from entrypoints.worker.main import Worker

    running = Worker(build(settings), settings.worker)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: running.stop())
    _watch_parent(wanted=stop_with_parent)
    running.run()


@main.command()
@settings_option
def migrate(file: Path | None) -> None:
    """Bring the database's schema up to date."""
    settings = load(file)
    from config.bootstrap import migrate as upgrade

    click.echo(f"schema: {upgrade(settings)}")


@main.command()
@click.option("--database", type=click.Path(path_type=Path), help="Where the chain is kept.")
@click.option("--port", type=click.IntRange(0, 65535), default=8545, show_default=True)
@click.option("--block-seconds", type=click.FloatRange(0), default=1.0, show_default=True)
@stop_with_parent_option
def devnet(
    database: Path | None, port: int, block_seconds: float, *, stop_with_parent: bool
) -> None:
    """Serve an EVM chain of your own on this machine; without --database it is forgotten."""
    from config.demo.running import run_devnet
    from entrypoints.cli.lifetime import stop_event

    async def run() -> None:
        stop = stop_event()
        _watch_parent(wanted=stop_with_parent)
        await run_devnet(
            database=database,
            port=port,
            block_seconds=block_seconds,
            stop=stop,
            on_ready=lambda url: click.echo(f"devnet: {url}"),
        )

    asyncio.run(run())


@main.group()
def settle() -> None:
    """Settlements."""


@settle.command(name="run")
@settings_option
def settle_run(file: Path | None) -> None:
    """Settle every balance that is worth a payout."""

    async def run(services: OperatorServices) -> int:
        made = await services.settlements.run()
        for settlement in made:
            asset = services.assets.find(settlement.money.asset)
            amount = asset.render(settlement.money.amount)
            click.echo(f"{settlement.id}  {settlement.state}  {amount} {asset.symbol}")
        click.echo(f"{len(made)} settled")
        return 0

    operate(file, run)


@settle.command(name="approve")
@click.argument("settlement_id")
@settings_option
def settle_approve(settlement_id: str, file: Path | None) -> None:
    """Let a settlement above the limit be paid out."""

    async def run(services: OperatorServices) -> int:
        approved = await services.settlements.approve(settlement_id=SettlementId(settlement_id))
        click.echo(f"{approved.id}  {approved.state}  payout {approved.payout_id}")
        return 0

    operate(file, run)


@settle.command(name="retry")
@click.argument("payout_id")
@settings_option
def settle_retry(payout_id: str, file: Path | None) -> None:
    """Pay again what a refused payout has not paid."""

    async def run(services: OperatorServices) -> int:
        payout = await services.settlements.retry_payout(payout_id=PayoutId(payout_id))
        click.echo(f"{payout.id}  {payout.state}  instead of {payout_id}")
        return 0

    operate(file, run)


def _watch_parent(*, wanted: bool) -> None:
    if wanted:
        stop_with_parent()


if __name__ == "__main__":
    main()
