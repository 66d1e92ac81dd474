"""What operators' commands have in common: the settings, and finished services to act with."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from config.settings import FILE_VARIABLE, load
from domain.audit.model import Outcome, named
from domain.shared.actors import Actor, ActorKind, acting_as
from entrypoints.cli.failures import failures
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from config.bootstrap import OperatorServices

settings_option = click.option(
    "--settings",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=FILE_VARIABLE,
    help="The settings file (TOML).",
)

NAME_VARIABLE = "SWITCHYARD_OPERATOR"
"""Names who acts, where the account on this machine is not a person's."""

_CHAIN_NAME = re.compile(r"[a-z0-9]{3,8}:[-.%/:\w]{1,200}")
"""A chain, an asset, or what has come in on one (CAIP-2 and CAIP-19, with a place behind)."""


def operate(file: Path | None, act: Callable[[OperatorServices], Awaitable[int]]) -> NoReturn:
    """Run one operator's command over finished services, and exit with its status.

    It is recorded, whatever comes of it.
    """
    settings = load(file)
    who = _who(click.get_current_context())
    from config.bootstrap import operator

    async def run() -> int:
        services = operator(settings)
        async with AsyncExitStack() as stack:
            for resource in services.resources:
                await stack.enter_async_context(resource)
            return await _recorded(who, services, act)

    sys.exit(asyncio.run(run()))


async def _recorded(
    who: Actor, services: OperatorServices, act: Callable[[OperatorServices], Awaitable[int]]
) -> int:
    """Act, and record what was not recorded together with the changes it has made."""
    outcome, problem = Outcome.FAILED, None
    try:
        with acting_as(who):
            status = await act(services)
        outcome = Outcome.FAILED if status else Outcome.DONE
        problem = f"exit status {status}" if status else None
    except failures() as error:
        outcome, problem = Outcome.REFUSED, type(error).__name__
        raise
    except Exception as error:
        problem = type(error).__name__
        raise
    finally:
        # Of a storage that is away the command itself has told, or will the next.
        with suppress(StorageUnavailable):
            await services.audit.record(who, outcome=outcome, problem=problem)
    return status


def _who(context: click.Context) -> Actor:
    """Return who runs a command: as the environment names them, else the account's name."""
    return Actor(
        kind=ActorKind.OPERATOR,
        id=os.environ.get(NAME_VARIABLE) or _account(),
        action=_command(context),
        objects=_objects(context),
    )


def _account() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        # In a container the number often has no name.
        return f"uid:{os.getuid()}"


def _command(context: click.Context) -> str:
    """Return the names of a command, whatever the program was called as."""
    names: list[str] = []
    while context.parent is not None:
        names.insert(0, str(context.info_name))
        context = context.parent
    return " ".join(["switchyard", *names])


def _objects(context: click.Context) -> tuple[str, ...]:
    """Return what the command's words name: objects, queues, chains, and things on them."""
    words = [word for word in context.params.values() if isinstance(word, str)]
    return (*named(words), *(word for word in words if _CHAIN_NAME.fullmatch(word)))
