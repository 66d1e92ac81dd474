"""Liteservers: many of them behind one call, and their many ways to fail as one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from pytoniq import LiteBalancer, LiteClient, LiteServerError, RunGetMethodError
from pytoniq_core import BlockIdExt

from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from adapters.ton.settings import TonChain

NOT_THERE = 651
"""The server's code for a block that it does not have: `ErrorCode::notready` of ton-blockchain."""

NOT_ACCEPTED = "cannot apply external message to current state"
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


class SourcesDisagree(ChainUnavailable):
    """Two name different masterchain blocks with the same number: one of them is not the chain.

    Nothing is read, and nothing is decided, over that.

    Attributes:
        number: The block's number.
        ours: The root hash by which the liteservers name it, hexadecimal.
        theirs: The root hash by which the other one names it.
    """

    def __init__(self, number: int, *, ours: str, theirs: str) -> None:
        super().__init__(f"block {number} is {ours} or {theirs}")
        self.number = number
        self.ours = ours
        self.theirs = theirs


class GetMethodFailed(Exception):
    """The contract has no such method, refuses the arguments, or does not exist."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Liteservers:
    """Asks whichever server is alive and newest; one that is silent is asked again later.

    pytoniq's balancer looks at each server every three seconds and connects again where a
    connection or its reader has died; a request that failed goes to another server at once. It
    prefers the server that has shown the newest block, but where that one fails it asks one that
    lags, which tells of an older block or that a newer one is not there.

    Attributes:
        doubts: How often what they had told was contradicted. Nobody knows by then which server
            it is that lies: what was kept of their answers is asked for again.
    """

    def __init__(self, settings: TonChain) -> None:
        self._settings = settings
        self._connecting = asyncio.Lock()
        self._balancer: LiteBalancer | None = None
        self._clients: Sequence[LiteClient] = ()
        self._newest: BlockIdExt | None = None
        self.doubts = 0

    async def __aenter__(self) -> Self:
        async with self._connecting:
            self._balancer, self._clients = await self._connected()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        async with self._connecting:
            balancer, self._balancer = self._balancer, None
            if balancer is not None:
                await _hang_up(balancer, self._clients)

    async def reconnect(self) -> None:
        """Connect to all servers anew, and hang up where they were connected before.

        What is asked of the old connections at that moment fails. What they told is doubted: it
        may be of a server that has told of blocks that are none.
        """
        async with self._connecting:
            if self._balancer is None:
                return
            old = self._balancer, self._clients
            self._balancer, self._clients = await self._connected()
            self.doubt()
            await _hang_up(*old)

    def doubt(self) -> None:
        """Have all that was told so far be asked for again, the newest block among it."""
        self.doubts += 1
        self._newest = None

    async def newest(self) -> BlockIdExt:
        """Return the newest masterchain block's name; it is never older than it was before.

        Raises:
            SourcesDisagree: two servers name different blocks with that number.
            ChainUnavailable: no server answered.
        """
        told: BlockIdExt = BlockIdExt.from_dict((await self.ask("get_masterchain_info"))["last"])
        known = self._newest
        if known is None or told.seqno > known.seqno:
            self._newest = told
            return told
        if told.seqno == known.seqno and told.root_hash != known.root_hash:
            self.doubts += 1
            raise SourcesDisagree(
                told.seqno, ours=known.root_hash.hex(), theirs=told.root_hash.hex()
            )
        return known

    async def broadcast(self, message: bytes) -> None:
        """Hand over an external message, a bag of cells.

        Raises:
            NotAccepted: the account does not take it as things stand.
            ChainUnavailable: no server answered.
        """
        await self.ask("raw_send_message", message)

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

    async def _connected(self) -> tuple[LiteBalancer, Sequence[LiteClient]]:
        settings = self._settings
        config, seconds = dict(settings.config), settings.request_timeout_seconds
        clients = [
            LiteClient.from_config(config, place, settings.trust_level, seconds)
            for place in range(len(config["liteservers"]))
        ]
        balancer = LiteBalancer(clients)
        balancer.set_max_retries(balancer.peers_num)
        try:
            await balancer.start_up()
        except BaseException:
            await _hang_up(balancer, clients)
            raise
        return balancer, clients


async def _hang_up(balancer: LiteBalancer, clients: Sequence[LiteClient]) -> None:
    if balancer.inited:
        await balancer.close_all()
    # The balancer leaves those alone that it was just connecting to, and may have connected to
    # one again while it closed the next.
    await asyncio.gather(*(client.close() for client in clients))


def _kind(error: LiteServerError) -> type[ChainUnavailable]:
    if error.code == NOT_THERE:
        return NotThere
    refused = str(error.message).startswith(NOT_ACCEPTED)
    return NotAccepted if refused else ChainUnavailable
