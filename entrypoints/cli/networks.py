"""``switchyard networks``: the EVM chains that are known."""

from __future__ import annotations

import json

import attrs
import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each.")
def networks(*, as_json: bool) -> None:
    """List the EVM chains that are known, and the tokens that are meant there by a symbol."""
    from config.networks import networks as known

    for network in known().values():
        if as_json:
            click.echo(json.dumps(attrs.asdict(network)))
            continue
        kind = "test" if network.test else "live"
        click.echo(f"{network.id:<18} {kind}  {network.name}  ({network.coin})")
        for token in network.tokens:
            asset = f"{network.id}/erc20:{token.address.lower()}"
            click.echo(f"  {token.symbol:<6} {token.decimals:>2} decimals  {asset}")
