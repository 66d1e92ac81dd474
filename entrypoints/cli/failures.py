"""What is wrong around the program is told in a line; what is wrong in it keeps its traceback."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from config.settings import WrongSettings

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

SETTINGS_STATUS = 2
"""The exit status where the settings are wrong."""
FAILED = 1
"""The exit status where something else is: a database or a node that is down, for one."""


class Telling(click.Group):
    """A command line that tells a failure of its surroundings in a line and exits."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (as click declares it)
        """Run the command."""
        try:
            return super().invoke(ctx)
        except WrongSettings as error:
            click.echo(str(error), err=True)
            sys.exit(SETTINGS_STATUS)
        except failures() as error:
            click.echo(told(error), err=True)
            sys.exit(FAILED)


def failures() -> tuple[type[Exception], ...]:
    """Return what is told in a line. Looked up late: some of it is slow to import."""
    from config.demo.provisioning import OtherChain
    from config.failures import FAILURES
    from domain.chains.canceling import CannotCancel
    from domain.chains.submissions import SubmissionTransitionRefused
    from domain.destinations.model import ChangeTransitionRefused, NotIndependent
    from domain.destinations.service import (
        AlreadyThere,
        ChainNotServed,
        ChangeUnderWay,
        OwnDestination,
    )
    from domain.intents.issuing import ChainOfOtherMode
    from domain.jobs.service import JobNotRetried
    from domain.ledger.comparing import CoverageMissing
    from domain.ledger.model import AlreadyReversed, InsufficientFunds, NotReversible
    from domain.ledger.parking import AssetParked
    from domain.ledger.service import TankMoved
    from domain.ledger.statements import NotSealedYet, PeriodNotOver
    from domain.merchants.roles import LastOwner
    from domain.network_fees.service import NoFeeMarket
    from domain.people.email import MalformedEmail
    from domain.people.service import EmailTaken
    from domain.settlements.model import SettlementTransitionRefused
    from domain.settlements.payouts import PayoutTransitionRefused
    from domain.settlements.service import NoDestination
    from entrypoints.cli.processes import PortTaken
    from ports.addresses import AddressRefused
    from ports.chain import ChainUnavailable
    from ports.key_wrapper import KeyWrapperUnavailable
    from ports.unit_of_work import NotFound, StorageUnavailable

    return (
        *FAILURES,
        AddressRefused,
        AlreadyThere,
        ChainNotServed,
        ChainOfOtherMode,
        ChangeTransitionRefused,
        ChangeUnderWay,
        EmailTaken,
        LastOwner,
        MalformedEmail,
        NotIndependent,
        OwnDestination,
        AlreadyReversed,
        AssetParked,
        CannotCancel,
        ChainUnavailable,
        CoverageMissing,
        JobNotRetried,
        KeyWrapperUnavailable,
        InsufficientFunds,
        NoDestination,
        NoFeeMarket,
        NotFound,
        NotReversible,
        NotSealedYet,
        OtherChain,
        PayoutTransitionRefused,
        PeriodNotOver,
        PortTaken,
        SettlementTransitionRefused,
        StorageUnavailable,
        SubmissionTransitionRefused,
        TankMoved,
    )


def told(error: Exception) -> str:
    """Return one line: what the exception means, and what it carries."""
    meaning = (type(error).__doc__ or type(error).__name__).split(".", 1)[0]
    carried = " ".join(", ".join(str(each) for each in error.args).split())
    return f"{meaning}: {carried}" if carried else meaning


def told_at_startup(app: ASGIApp) -> ASGIApp:
    """Return an application whose failures while it starts are told in a line as well."""

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return

        async def without_traceback(message: MutableMapping[str, Any]) -> None:
            known = isinstance(sys.exception(), failures())
            await send({"type": message["type"]} if known else message)

        try:
            await app(scope, receive, without_traceback)
        except failures() as error:
            click.echo(told(error), err=True)

    return telling
