"""Several providers of one chain: who is asked, who is not, and who is asked next."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import attrs

from adapters.evm.complaints import asks_for_patience, lacks_method
from adapters.evm.health import Health
from adapters.evm.rpc import CONNECTIONS_MAX, Call, JsonRpc, NoBatches, RpcRefused
from adapters.evm.wire import QUANTITY, number
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from msgspec.json import Decoder

    from adapters.evm.settings import EvmChain

log = logging.getLogger(__name__)

SLOWER_TIMES: Final = 4
"""Only a provider that is so many times slower than another loses its place for that."""

_NAME_LABELS = 2
"""Of a host's name: providers put keys in the rest, and in paths."""

_Answer = TypeVar("_Answer")
_Result = TypeVar("_Result")


@attrs.frozen
class WrongChain(Exception):
    """A provider is of another chain than the configuration says. It is not asked again."""

    expected: int
    got: int
    provider: str = ""


class Provider:
    """One address at which a chain's node answers, and what was learnt about it.

    Attributes:
        name: Its place in the settings and the end of its host's name; no key is in it.
        health: Whether it is asked, and how fast it is.
        span: How many blocks it bears in one question for logs, as far as that is known.
        struck_off: Why it is never asked again.
    """

    def __init__(
        self, chain: EvmChain, url: str, *, place: int, clock: Callable[[], float]
    ) -> None:
        self.name: Final = f"{place}:{_shown(urlsplit(url).hostname or '')}"
        self.health: Final = Health(clock)
        self.span = chain.scan_blocks
        self.struck_off: WrongChain | None = None
        self._chain_id: Final = chain.chain_id
        self._checking: Final = asyncio.Lock()
        self._is_of_chain = False
        self._takes_batches = True
        self._rpc: Final = JsonRpc(
            url, timeout_seconds=chain.request_timeout_seconds, batch_calls=chain.batch_calls
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._rpc.aclose()

    async def call(self, call: Call, *, answer: Decoder[_Answer]) -> _Answer:
        """Ask once; see `JsonRpc.call` for what is raised."""
        return await self._rpc.call(call, answer=answer)

    async def batch(self, calls: Sequence[Call], *, answer: Decoder[_Answer]) -> list[_Answer]:
        """Ask many things of one kind, one by one where it takes no batches."""
        if self._takes_batches:
            try:
                return await self._rpc.batch(calls, answer=answer)
            except NoBatches as complaint:
                log.warning("provider %s takes no batches: %s", self.name, complaint)
                self._takes_batches = False
        answers: list[_Answer] = []
        for start in range(0, len(calls), CONNECTIONS_MAX):
            part = calls[start : start + CONNECTIONS_MAX]
            asked = (self._rpc.call(call, answer=answer) for call in part)
            answers.extend(await asyncio.gather(*asked))
        return answers

    async def check(self) -> None:
        """Make sure, before first use and after each rest, of which chain it is.

        Raises:
            WrongChain: of another.
            ChainUnavailable: it did not say.
        """
        if self.struck_off is not None:
            raise self.struck_off
        if self._is_of_chain:
            return
        async with self._checking:
            if self._is_of_chain:
                return
            got = number(await self._rpc.call(Call("eth_chainId"), answer=QUANTITY))
            if got != self._chain_id:
                self.struck_off = WrongChain(self._chain_id, got, self.name)
                log.error("provider %s is struck off: chain %d", self.name, got)
                raise self.struck_off
            self._is_of_chain = True

    def note(self, failure: ChainUnavailable, *, asked_for: str) -> None:
        """Draw the conclusions from a failure."""
        if lacks_method(failure):
            log.warning("provider %s does not serve %s", self.name, asked_for)
            self.health.lacks(asked_for)
        elif asks_for_patience(failure) or (
            not isinstance(failure, RpcRefused) and self.health.failed()
        ):
            log.warning("provider %s rests: %s", self.name, failure)
            self.health.rest()
            self._is_of_chain = False  # An address may have another owner by then.


class Providers:
    """The providers of a chain, of which one is asked as long as it serves.

    Answers of one provider fit together better than those of several, so nobody changes without a
    reason: a failure, a rest, a lag, or another that is several times as fast.
    """

    def __init__(self, chain: EvmChain, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.all: Final = tuple(
            Provider(chain, url, place=place, clock=clock)
            for place, url in enumerate(chain.rpc_urls, 1)
        )
        self._clock: Final = clock
        self._lag_blocks: Final = chain.lag_blocks
        self._current = self.all[0]
        self._surveyed_at: float | None = None

    async def aclose(self) -> None:
        """Close all connections."""
        for provider in self.all:
            await provider.aclose()

    async def steadily(
        self, work: Callable[[Provider], Awaitable[_Result]], *, asked_for: str
    ) -> _Result:
        """Have work done with one provider from end to end, and with the next if that fails.

        A contract's refusal is an answer. Other refusals may be a single node's, so the next one
        is asked; where all refuse, the first refusal is what is raised.

        Args:
            work: Asks a provider whatever belongs together.
            asked_for: The method, or the feature, without which there is no use in asking.

        Raises:
            WrongChain: all providers are of other chains.
            ChainUnavailable: none gave a usable answer.
        """
        failures: list[ChainUnavailable] = []
        for provider in self._candidates(asked_for):
            try:
                await provider.check()
                result = await work(provider)
            except WrongChain:
                continue
            except ChainUnavailable as failure:
                if isinstance(failure, RpcRefused) and failure.reverted:
                    provider.health.succeeded()
                    raise
                provider.note(failure, asked_for=asked_for)
                failures.append(failure)
            else:
                provider.health.succeeded()
                self._current = provider
                return result
        raise self._told(failures)

    async def everywhere(self, call: Call, *, answer: Decoder[_Answer]) -> _Answer:
        """Ask all providers at once, and return the answer of the first in the list that has one.

        For what must get around, and does no harm when it is said twice.

        Raises:
            WrongChain: all are of other chains.
            ChainUnavailable: none gave a usable answer.
        """
        told = await asyncio.gather(
            *(self._one(each, call, answer) for each in self._candidates(call.method))
        )
        failures: list[ChainUnavailable] = []
        for found in told:
            if isinstance(found, tuple):
                return found[0]
            if isinstance(found, ChainUnavailable):
                failures.append(found)
        raise self._told(failures)

    async def others(
        self, than: Provider | None, call: Call, *, answer: Decoder[_Answer]
    ) -> dict[Provider, _Answer]:
        """Return what all others say, or all, of those that serve and answer, by provider."""
        asked = [each for each in self._candidates(call.method) if each is not than]
        told = await asyncio.gather(*(self._one(each, call, answer) for each in asked))
        return {
            each: found[0]
            for each, found in zip(asked, told, strict=True)
            if isinstance(found, tuple)
        }

    async def survey(self, *, every_seconds: float) -> None:
        """Ask all for their latest block, and note who is slow and who is far behind.

        Lag is measured among answers to one question at one time: blocks come faster than polls.
        """
        now = self._clock()
        recent = self._surveyed_at is not None and now < self._surveyed_at + every_seconds
        if len(self.all) == 1 or recent:
            return
        self._surveyed_at = now
        asked = [
            each for each in self.all if each.struck_off is None and now >= each.health.rests_until
        ]
        call = Call("eth_blockNumber")
        told = await asyncio.gather(*(self._timed(each, call) for each in asked))
        latest = {
            each: number(found[0])
            for each, found in zip(asked, told, strict=True)
            if isinstance(found, tuple)
        }
        best = max(latest.values(), default=0)
        for provider, height in latest.items():
            lags = best - height > self._lag_blocks
            if lags and not provider.health.lags:
                log.warning("provider %s is %d blocks behind", provider.name, best - height)
            provider.health.lags = lags

    async def _one(
        self, provider: Provider, call: Call, answer: Decoder[_Answer]
    ) -> tuple[_Answer] | ChainUnavailable | WrongChain:
        """Return an answer by itself, which may be a None, or why there is none."""
        try:
            await provider.check()
            found = await provider.call(call, answer=answer)
        except WrongChain as error:
            return error
        except ChainUnavailable as failure:
            provider.note(failure, asked_for=call.method)
            return failure
        provider.health.succeeded()
        return (found,)

    async def _timed(
        self, provider: Provider, call: Call
    ) -> tuple[str] | ChainUnavailable | WrongChain:
        began = self._clock()
        found = await self._one(provider, call, QUANTITY)
        if isinstance(found, tuple):
            provider.health.took(self._clock() - began)
        return found

    def _candidates(self, asked_for: str) -> Sequence[Provider]:
        """Return who is asked, in this order; where nobody should be, who has rested longest."""
        sound = [each for each in self.all if each.struck_off is None]
        serving = [each for each in sound if each.health.serves(asked_for)]
        if not serving:
            return sorted(sound, key=lambda each: each.health.rests_until)[:1]
        measured = [it.health.latency_seconds for it in serving if it.health.latency_seconds]
        fastest = min(measured, default=0.0)
        stays = not fastest or self._current.health.latency_seconds <= SLOWER_TIMES * fastest
        return sorted(
            serving,
            key=lambda each: (not (stays and each is self._current), each.health.latency_seconds),
        )

    def _told(self, failures: Sequence[ChainUnavailable]) -> ChainUnavailable | WrongChain:
        """Return what to raise: the first refusal, or what else went wrong first."""
        refusals = [failure for failure in failures if isinstance(failure, RpcRefused)]
        if failures:
            return (refusals or failures)[0]
        struck = [each.struck_off for each in self.all if each.struck_off is not None]
        if len(struck) == len(self.all):
            return struck[0]
        return ChainUnavailable("no provider of this chain can be asked now")


def _shown(host: str) -> str:
    """Return as much of a host's name as may be written down."""
    labels = host.split(".")
    return host if labels[-1].isdigit() else ".".join(labels[-_NAME_LABELS:])
