"""``python -m tests.benchmarks [--json] [--quick] [names…]`` prints one line for each figure."""

from __future__ import annotations

import signal
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from tests.benchmarks import (
    addresses,
    demo,
    devnet,
    intents,
    jobs,
    ledger,
    lists,
    middleware,
    scanner,
    streams,
    told,
    ton,
    webhooks,
)
from tests.benchmarks.report import COLUMNS, Discrepancy, as_json, as_line
from tests.benchmarks.world import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.benchmarks.report import Figure

BENCHMARKS: Final[Mapping[str, Callable[[Bench], Iterator[Figure]]]] = MappingProxyType(
    {
        "intents": intents.measure,
        "ledger": ledger.measure,
        "lists": lists.measure,
        "middleware": middleware.measure,
        "addresses": addresses.measure,
        "jobs": jobs.measure,
        "streams": streams.measure,
        "scanner": scanner.measure,
        "devnet": devnet.measure,
        "told": told.measure,
        "ton": ton.measure,
        "webhooks": webhooks.measure,
        "demo": demo.measure,
    }
)
SECONDS, QUICK_SECONDS = 4.0, 1.0
"""How long each measurement takes."""
TERMINATED = 128 + signal.SIGTERM


@click.command()
@click.option("--json", "as_objects", is_flag=True, help="Print JSON lines.")
@click.option("--quick", is_flag=True, help="Measure for a second each, and leave the demo out.")
@click.argument("names", nargs=-1, type=click.Choice([*BENCHMARKS]))
def main(*, as_objects: bool, quick: bool, names: tuple[str, ...]) -> None:
    """Measure the figures named, or all of them, each beside its reference."""
    chosen = names or tuple(name for name in BENCHMARKS if not (quick and name == "demo"))
    write = as_json if as_objects else as_line
    if not as_objects:
        click.echo("# " + "\t".join(COLUMNS))
    failed = False
    bench = Bench(QUICK_SECONDS if quick else SECONDS, quick)
    for name in chosen:
        try:
            for figure in BENCHMARKS[name](bench):
                click.echo(write(figure))
        except Discrepancy as error:
            failed = True
            click.echo(f"FAILED\t{name}\t{error}", err=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    # Leaving by an exception stops every process and removes every file of the run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    main()
