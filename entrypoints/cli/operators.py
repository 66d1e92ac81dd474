"""``switchyard operator``: who may use the queue console of the API."""

from __future__ import annotations

import hashlib
import secrets

import click

from config.operators import OperatorSetting
from domain.operators.model import TOKEN_PREFIX, OperatorScope

_SECRET_BYTES = 32


@click.group()
def operator() -> None:
    """Operators of the API."""


@operator.command()
@click.argument("name")
@click.option("--write", is_flag=True, help="Let the operator also pause, retry and clean.")
def token(name: str, *, write: bool) -> None:
    """Make a token, and the lines that make it known to the API. It is shown this once."""
    made = TOKEN_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    digest = hashlib.sha256(made.encode()).hexdigest()
    scopes = [OperatorScope.READ, *([OperatorScope.WRITE] if write else [])]
    try:
        OperatorSetting(name, digest, tuple(scopes))
    except ValueError as error:
        raise click.UsageError("a name has letters, digits and .@_- alone") from error
    click.echo(f"token: {made}", err=True)
    click.echo("[[operators]]")
    click.echo(f'name = "{name}"')
    click.echo(f'token_sha256 = "{digest}"')
    click.echo("scopes = [" + ", ".join(f'"{scope}"' for scope in scopes) + "]")
