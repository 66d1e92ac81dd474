"""What operators' commands have in common: the settings, and finished services to act with."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from config.settings import FILE_VARIABLE, load

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


def operate(file: Path | None, act: Callable[[OperatorServices], Awaitable[int]]) -> NoReturn:
    """Run one operator's command over finished services, and exit with its status."""
    settings = load(file)
    from config.bootstrap import operator

    async def run() -> int:
        services = operator(settings)
        async with AsyncExitStack() as stack:
            for resource in services.resources:
                await stack.enter_async_context(resource)
            return await act(services)

    sys.exit(asyncio.run(run()))
