"""The chain that the configuration means, through its providers: nothing is asked of others."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, Self, TypeVar

import attrs

from adapters.evm.collector_abi import collector_code
from adapters.evm.names import token_of
from adapters.evm.providers import Providers
from adapters.evm.rpc import Call, RpcRefused
from adapters.evm.wire import BYTES, number
from domain.shared.money import AssetId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType

    from msgspec.json import Decoder

    from adapters.evm.providers import Provider
    from adapters.evm.settings import EvmChain
    from domain.shared.money import Asset

_DECIMALS_CALL = "0x313ce567"
"""The call data of ``decimals()``."""
_EMPTY = "0x"

SAID_EVERYWHERE: Final = frozenset({"eth_sendRawTransaction"})

_Answer = TypeVar("_Answer")
_Result = TypeVar("_Result")


@attrs.frozen
class WrongDecimals(Exception):
    """A token's contract counts in other units than the configuration, or does not say."""

    asset: AssetId
    expected: int
    got: int | None


@attrs.frozen
class NoEscrowContract(Exception):
    """There is no code at the escrow contract's address: calls to it would succeed in silence."""

    address: str


@attrs.frozen
class NotOurCollector(Exception):
    """At the collector's address is other code, or one that sends money to somebody else."""

    address: str


class EvmNode:
    """A client that checks, before anything else, that the chain fits the configuration.

    `open` refuses to start on a misfit. Where it was not called, or no node answered then, the
    first call does the same. Which of several providers is asked is the business of `Providers`.
    """

    def __init__(self, chain: EvmChain, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.chain: Final = chain
        self.providers: Final = Providers(chain, clock=clock)
        self._opening: Final = asyncio.Lock()
        self._fits = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self.providers.aclose()

    async def open(self) -> None:
        """Check the chain against the configuration, once.

        Raises:
            WrongChain: all providers are of another chain.
            WrongDecimals: a token counts in other units.
            NoEscrowContract: the escrow contract is not on this chain.
            NotOurCollector: the collector is not, or does not send to the hot wallet.
            ChainUnavailable: no node answered; nothing is known.
        """
        async with self._opening:
            if self._fits:
                return
            for token in self.chain.tokens:
                if token.id not in self.chain.decimals_unread:
                    await self._check_decimals(token)
            code = Call("eth_getCode", [self.chain.escrow, "latest"])
            if await self._ask(code, BYTES) == _EMPTY:
                raise NoEscrowContract(self.chain.escrow)
            await self._check_collector()
            self._fits = True

    async def call(self, call: Call, *, answer: Decoder[_Answer]) -> _Answer:
        """Ask once; see `Providers.steadily` and `open` for what is raised.

        A transaction of ours is handed to all providers: none of them passes on what it drops.
        """
        await self.ensure_open()
        if call.method in SAID_EVERYWHERE:
            return await self.providers.everywhere(call, answer=answer)
        return await self._ask(call, answer)

    async def batch(self, calls: Sequence[Call], *, answer: Decoder[_Answer]) -> list[_Answer]:
        """Ask many things of one kind; see `Providers.steadily` and `open` for what is raised."""
        if not calls:
            return []
        await self.ensure_open()
        return await self.providers.steadily(
            lambda provider: provider.batch(calls, answer=answer), asked_for=calls[0].method
        )

    async def steadily(
        self, work: Callable[[Provider], Awaitable[_Result]], *, asked_for: str
    ) -> _Result:
        """Have work done with one provider; see `Providers.steadily` and `open`."""
        await self.ensure_open()
        return await self.providers.steadily(work, asked_for=asked_for)

    async def ensure_open(self) -> None:
        """Do what `open` does, unless that is done."""
        if not self._fits:
            await self.open()

    async def _ask(self, call: Call, answer: Decoder[_Answer]) -> _Answer:
        return await self.providers.steadily(
            lambda provider: provider.call(call, answer=answer), asked_for=call.method
        )

    async def _check_collector(self) -> None:
        collector, destination = self.chain.collector, self.chain.collects_to
        if collector is None or destination is None:
            return
        code = await self._ask(Call("eth_getCode", [collector, "latest"]), BYTES)
        if bytes.fromhex(code[2:]) != collector_code(collector, destination=destination):
            raise NotOurCollector(collector)

    async def _check_decimals(self, token: Asset) -> None:
        request = {"to": token_of(token.id, chain=self.chain.chain), "data": _DECIMALS_CALL}
        try:
            word = await self._ask(Call("eth_call", [request, "latest"]), BYTES)
        except RpcRefused as error:
            if not error.reverted:
                raise
            raise WrongDecimals(token.id, token.decimals, None) from error
        got = None if word == _EMPTY else number(word)
        if got != token.decimals:
            raise WrongDecimals(token.id, token.decimals, got)
