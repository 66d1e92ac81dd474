"""``switchyard chain``: what an operator decides about chains, and about transactions on them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domain.shared.ids import SubmissionId
from domain.shared.money import ChainId
from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from config.bootstrap import OperatorServices
    from domain.shared.money import Money


@click.group()
def chain() -> None:
    """Chains."""


@chain.command(name="resume")
@click.argument("chain_id")
@click.option(
    "--next-number",
    type=click.IntRange(1),
    help="The hot wallet's next number, where others have used those below it.",
)
@settings_option
def chain_resume(chain_id: str, file: Path | None, *, next_number: int | None) -> None:
    """Let a chain that was parked move money again."""

    async def run(services: OperatorServices) -> int:
        if chain_id not in services.chains:
            click.echo(f"no chain {chain_id}; there are {', '.join(services.chains)}", err=True)
            return 1
        await services.watcher.resume(chain=ChainId(chain_id), next_sequence=next_number)
        click.echo(f"{chain_id} moves again")
        return 0

    operate(file, run)


@chain.command(name="cancel")
@click.argument("submission")
@settings_option
def chain_cancel(submission: str, file: Path | None) -> None:
    """Take a transaction back that is not in a block yet.

    The worker signs another one with its number that does nothing, and offers more. Which of them
    comes into a block, the chain decides. A payout is refused when that is final, not before.
    """

    async def run(services: OperatorServices) -> int:
        taken_back = await services.canceling.cancel(submission_id=SubmissionId(submission))
        asked = "" if taken_back.reason else "; the chain decides what becomes of it"
        click.echo(f"{taken_back.id}  {taken_back.state}  taken back{asked}")
        return 0

    operate(file, run)


@chain.command(name="deploy-collector")
@click.argument("chain_id")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="A file of mode 0600 with the key of who pays for it; any account with some coin.",
)
@settings_option
def chain_deploy_collector(chain_id: str, file: Path | None, *, key_file: Path) -> None:
    """Put the contract on a chain by which many deposit addresses are swept at once.

    It sends all that it moves to the chain's hot wallet, and can never be told otherwise: another
    hot wallet needs another collector. The chain must have EIP-7702.
    """
    from config.collectors import deploy_collector
    from config.settings import load

    deployed = asyncio.run(deploy_collector(load(file), chain=chain_id, key_file=key_file))
    click.echo('sweep_by = "delegation"')
    click.echo(f'collector_contract = "{deployed.address}"')


@chain.command(name="fees")
@click.argument("chain_id")
@click.option(
    "--within",
    "within_seconds",
    type=click.IntRange(1, 86_400),
    help="Say as well what is probably enough to be in a block within so many seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@settings_option
def chain_fees(
    chain_id: str, file: Path | None, *, within_seconds: int | None, as_json: bool
) -> None:
    """Show what a chain's network takes now for a transfer, a payout and a sweep."""

    async def run(services: OperatorServices) -> int:
        from domain.network_fees.view import view_fees

        valued = await services.network_fees.fees(
            chain=ChainId(chain_id), within_seconds=within_seconds
        )
        if as_json:
            click.echo(json.dumps(view_fees(valued, services.assets), indent=2))
            return 0

        def shown(money: Money) -> str:
            asset = services.assets.find(money.asset)
            return f"{asset.render(money.amount)} {asset.symbol}"

        fees = valued.fees
        congestion = "unknown" if fees.congestion_percent is None else fees.congestion_percent
        click.echo(f"{fees.chain}  block {fees.block}  congestion {congestion} %")
        for offer in fees.offers:
            costs = []
            for kind, cost in offer.costs.items():
                value = valued.values.get(cost)
                worth = "" if value is None else f" ({shown(value)})"
                costs.append(f"{kind} {shown(cost)}{worth}")
            click.echo(f"{offer.name}  within {offer.wait_seconds} s  {', '.join(costs)}")
        return 0

    operate(file, run)
