"""Liteservers: many of them behind one call, and their many ways to fail as one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from pytoniq import LiteBalancer, LiteServerError, RunGetMethodError

from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from types import TracebackType

    from adapters.ton.settings import TonChain

NOT_THERE = 651
"""The server's code for a block that it does not have: `ErrorCode::notready` of ton-blockchain."""

_NOT_ACCEPTED = "cannot apply external message to current state"
"""How the answer begins: ``validator/impl/external-message.cpp`` of ton-blockchain."""

for _noisy in ("LiteClient", "LiteBalancer"):
    # They warn at every get-method that its result is not proven; what is read by one is checked.
    logging.getLogger(_noisy).setLevel(logging.CRITICAL)


class NotThere(ChainUnavailable):
    """The server asked does not have the block."""


class NotAccepted(ChainUnavailable):
    """The account would not take a message from outside as things stand by the server asked.

    So it answers too where the message is on the chain already; and another server may be ahead.
    """


class GetMethodFailed(Exception):
    """The contract has no such method, refuses the arguments, or does not exist."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Liteservers:
    """Asks whichever server is alive and newest; one that is silent is asked again later.

    pytoniq's balancer looks at each server every three seconds and connects again where a
    connection or its reader has died; a request that failed goes to another server at once.
    """

    def __init__(self, settings: TonChain) -> None:
        self._settings = settings
        self._balancer: LiteBalancer | None = None

    async def __aenter__(self) -> Self:
        settings = self._settings
        balancer = LiteBalancer.from_config(
            dict(settings.config),
            trust_level=settings.trust_level,
            timeout=settings.request_timeout_seconds,
        )
        balancer.set_max_retries(balancer.peers_num)
        await balancer.start_up()
        self._balancer = balancer
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        balancer, self._balancer = self._balancer, None
        if balancer is not None:
            await balancer.close_all()

    async def ask(self, method: str, *arguments: object, **options: object) -> Any:  # noqa: ANN401 (by method)
        """Call a method of pytoniq's client on a server that is alive.

        Raises:
            NotThere: the server does not have the block.
            NotAccepted: the account does not take a message as things stand.
            GetMethodFailed: a contract's get-method ended with an exit code.
            ChainUnavailable: no server answered, or its proof was wrong.
        """
        if self._balancer is None:
            raise RuntimeError("the liteservers are not connected")
        patience = self._settings.request_timeout_seconds * self._balancer.peers_num
        try:
            async with asyncio.timeout(patience):
                return await self._balancer.execute_method(method, *arguments, **options)
        except RunGetMethodError as error:
            raise GetMethodFailed(error.exit_code) from error
        except LiteServerError as error:
            raise _kind(error)(f"{method}: {error.message}") from error
        # pytoniq proves with `assert` and parses what comes as it comes.
        except Exception as error:
            raise ChainUnavailable(f"{method}: {type(error).__name__}") from error


def _kind(error: LiteServerError) -> type[ChainUnavailable]:
    if error.code == NOT_THERE:
        return NotThere
    refused = str(error.message).startswith(_NOT_ACCEPTED)
    return NotAccepted if refused else ChainUnavailable
