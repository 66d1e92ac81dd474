"""``switchyard simulate``: the whole gateway, its payers and its bad luck, from one seed."""

from __future__ import annotations

import sys
import time
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from config.simulation.run import Outcome

TAIL = 12
"""How many lines of the trace are shown where something went wrong."""
SHOWN = (
    "acts", "intents", "payments", "escrows", "deposits", "sweeps", "settlements", "payouts",
    "batches", "expired", "replaced", "canceled", "charges", "events", "deliveries", "blocks",
    "reorgs", "deep reorgs", "faults", "crashes", "lies", "parked", "commits", "turns",
)  # fmt: skip
"""The counts of the summary, in this order."""


def _numbers(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    if text == "none":
        return ()
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError as error:
        raise click.BadParameter("expected numbers of acts with commas, or none") from error


def _faults(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    from config.simulation.scenario import chosen_faults

    try:
        return chosen_faults(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _rails(_: click.Context, __: click.Parameter, text: str) -> tuple[str, ...]:
    from config.simulation.scenario import chosen_rails

    try:
        return chosen_rails(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--days", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option("--merchants", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option(
    "--faults",
    default="all",
    show_default=True,
    callback=_faults,
    help="crash, rpc, reorg, queue, webhooks, storage, telegram, fees: some, all or none.",
)
@click.option(
    "--rails",
    default="all",
    show_default=True,
    callback=_rails,
    help="evm, ton, stars, customers: what is paid in by, some of them with commas, or all.",
)
@click.option("--only", callback=_numbers, help="Play only the acts of these numbers.")
@click.option(
    "--trace", "file", type=click.File("w"), help="Write what happens to a file, line by line."
)
@click.option("--shrink/--no-shrink", default=True, help="Look for fewer acts that still fail.")
@click.option("--campaign", is_flag=True, help="Play 15 seeds from --seed on, and pinned ones.")
def simulate(
    *,
    seed: int,
    days: int,
    merchants: int,
    faults: tuple[str, ...],
    rails: tuple[str, ...],
    only: tuple[int, ...] | None,
    file: IO[str] | None,
    shrink: bool,
    campaign: bool,
) -> None:
    """Simulate the gateway in virtual time, with faults; the same seed gives the same trace.

    Exits with 1 where an invariant does not hold, and prints the command that shows it again.
    """
    from config.simulation.run import simulate as play
    from config.simulation.scenario import Scenario

    if campaign:
        if only is not None or file is not None:
            raise click.UsageError("--campaign plays scenarios of its own: no --only, no --trace")
        sys.exit(_campaign(seed, shrink=shrink))
    begun = time.monotonic()
    scenario = Scenario(seed, days, merchants, faults, only, rails)
    outcome = play(scenario, file=file)
    _summary(outcome, time.monotonic() - begun)
    sys.exit(0 if outcome.ok else _failed(outcome, shrink=shrink))


def _summary(outcome: Outcome, seconds: float) -> None:
    scenario = outcome.scenario
    click.echo(
        f"seed {scenario.seed}, {scenario.days} days, {scenario.merchants} merchants, "
        f"faults: {', '.join(scenario.faults) or 'none'}"
    )
    for first in range(0, len(SHOWN), 4):
        row = SHOWN[first : first + 4]
        click.echo("".join(f"  {name:>11} {outcome.counts.get(name, 0):<8}" for name in row))
    click.echo(f"  trace {outcome.digest}  ({seconds:.1f} s)")
    if outcome.ok:
        click.echo("every invariant held")


def _failed(outcome: Outcome, *, shrink: bool) -> int:
    """Tell what went wrong and how to see it again; return the exit status."""
    from config.simulation.shrinking import shrink as smaller

    click.echo(f"BROKEN  {outcome.broken}\n        {outcome.what}")
    if shrink:
        click.echo("looking for fewer acts that still break it …")
        outcome = smaller(outcome, told=_progress)
        click.echo("")
        for act in outcome.scenario.acts():
            click.echo(f"  {act}")
        click.echo(f"BROKEN  {outcome.broken}\n        {outcome.what}")
    click.echo("what came before:")
    for line in outcome.tail[-TAIL:]:
        click.echo(f"  {line.rstrip()}")
    click.echo(f"again:  {outcome.scenario.command()}")
    return 1


def _progress(acts: int, tries: int) -> None:
    click.echo(f"\r  {acts} acts after {tries} tries   ", nl=False, err=True)


def _campaign(first_seed: int, *, shrink: bool) -> int:
    from config.simulation.campaign import play_all, scenarios

    begun = time.monotonic()
    wanted = scenarios(first_seed)
    failed: list[Outcome] = []
    for outcome in play_all(wanted):
        verdict = "held" if outcome.ok else f"BROKEN  {outcome.broken}: {outcome.what}"
        click.echo(f"{outcome.scenario.command()}  {outcome.digest[:16]}  {verdict}")
        if not outcome.ok:
            failed.append(outcome)
    days = sum(it.days * it.merchants for it in wanted)
    seconds = time.monotonic() - begun
    click.echo(
        f"{days} merchant-days of {len(wanted)} scenarios in {seconds:.0f} s; {len(failed)} broken"
    )
    for outcome in failed[:1]:
        _failed(outcome, shrink=shrink)
    return 1 if failed else 0
