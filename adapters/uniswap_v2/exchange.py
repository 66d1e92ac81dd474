"""Uniswap v2 and its like: quotes by reserves of one block, swaps by the router."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

from adapters.uniswap_v2.abi import FACTORY, WRAPPED, address_of, allowance_call, numbers_of
from adapters.uniswap_v2.outcomes import Outcomes, request_of
from adapters.uniswap_v2.pairs import Pairs
from adapters.uniswap_v2.requests import QUANTITY, Asking, Request
from adapters.uniswap_v2.router import approvals, swap_transaction
from domain.conversions.quotes import quote_input, quote_output
from domain.conversions.swaps import Cause, SwapFailure
from domain.shared.money import Money
from ports.exchange import ExchangeUnavailable, InsufficientLiquidity, NoRoute, SwapRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.uniswap_v2.requests import EvmRequests
    from adapters.uniswap_v2.settings import UniswapV2Exchange
    from domain.chains.model import Block
    from domain.conversions.pools import Path
    from domain.conversions.quotes import Quote, Reading
    from domain.conversions.swaps import Swap, SwapCall, SwapOutcome
    from domain.shared.money import ChainId
    from ports.clock import Clock


@attrs.frozen
class WrongContracts(Exception):
    """The router at the configured address works with another factory or wrapped coin."""

    exchange: str
    expected: tuple[str, ...]
    got: tuple[str, ...]


class UniswapV2:
    """One exchange on one chain; implements `ports.exchange.Exchange`.

    `open` refuses to start where the router does not fit the configuration. Where it was not
    called, or no node answered then, the first use does the same.
    """

    def __init__(
        self, exchange: UniswapV2Exchange, requests: EvmRequests, *, clock: Clock
    ) -> None:
        self.name: str = exchange.name
        self.chain: ChainId = exchange.chain
        self._exchange: Final = exchange
        self._asking: Final = Asking(requests)
        self._pairs: Final = Pairs(exchange, self._asking)
        self._outcomes: Final = Outcomes(exchange, self._asking, self._pairs)
        self._clock: Final = clock
        self._opening: Final = asyncio.Lock()
        self._fits = False

    async def open(self) -> None:
        """Check, once, that the router is of this factory and this wrapped coin.

        Raises:
            WrongContracts: it is not.
            ExchangeUnavailable: no node answered; nothing is known.
        """
        async with self._opening:
            if self._fits:
                return
            router = self._exchange.router
            outputs = await self._asking.read([(router, FACTORY), (router, WRAPPED)])
            got = tuple(address_of(word) for output in outputs for word in numbers_of(output))
            expected = (self._exchange.factory, self._exchange.wrapped)
            if got != expected:
                raise WrongContracts(self.name, expected, got)
            self._fits = True

    async def quote(self, money_in: Money, *, paths: Sequence[Path]) -> Quote:
        """Return what an exact amount would turn into at the newest block.

        Raises:
            NoRoute: there are no pools.
            InsufficientLiquidity: the pools are too small.
            ExchangeUnavailable: no node answered.
            NotOnThisExchange: a path has an asset of another chain.
        """
        block, readings = await self._read(paths)
        quote = quote_input(
            readings, money_in, exchange=self.name, block=block, at=self._clock.now()
        )
        if quote is None:
            raise InsufficientLiquidity(money_in)
        return quote

    async def quote_for(self, money_out: Money, *, paths: Sequence[Path]) -> Quote:
        """Return how much would turn into at least an amount at the newest block.

        Raises:
            NoRoute: there are no pools.
            InsufficientLiquidity: the pools are too small.
            ExchangeUnavailable: no node answered.
            NotOnThisExchange: a path has an asset of another chain.
        """
        block, readings = await self._read(paths)
        quote = quote_output(
            readings, money_out, exchange=self.name, block=block, at=self._clock.now()
        )
        if quote is None:
            raise InsufficientLiquidity(money_out)
        return quote

    async def calls(self, swap: Swap) -> Sequence[SwapCall]:
        """Return approvals that are missing by the newest block, and the swap.

        Raises:
            SwapRefused: the router cannot express it.
            ExchangeUnavailable: no node answered.
        """
        last = swap_transaction(swap, exchange=self._exchange)
        await self._ensure_open()
        if swap.path.source == self._exchange.native:
            return (last,)
        token = self._exchange.token_of(swap.path.source)
        question = allowance_call(swap.sender, self._exchange.router)
        (output,) = await self._asking.read([(token, question)])
        words = numbers_of(output)
        if len(words) != 1:
            raise ExchangeUnavailable(f"{token} does not tell allowances")
        return (*approvals(swap, allowed=words[0], exchange=self._exchange), last)

    async def rehearse(self, swap: Swap) -> Money:
        """Run the swap on the newest block and return what its gas could cost now.

        Raises:
            SwapRefused: it would fail, or its gas is too dear or cannot be paid.
            ExchangeUnavailable: no node answered.
        """
        call = swap_transaction(swap, exchange=self._exchange)
        await self._ensure_open()
        # The newest block's time, by which the router goes in a trial run, lies in the past.
        if swap.deadline < self._clock.now():
            raise SwapRefused(SwapFailure(Cause.DEADLINE, "the deadline has passed"))
        failure = await self._outcomes.refusal(swap, call, block="latest")
        if isinstance(failure, SwapFailure):
            raise SwapRefused(failure)
        if failure is not None:
            raise ExchangeUnavailable(str(failure)) from failure
        return await self._fee(call)

    async def outcome(self, swap: Swap, *, transaction: str) -> SwapOutcome | None:
        """Return what the receipt shows, or None while there is none.

        Raises:
            SwapRefused: the router cannot express such a swap.
            ExchangeUnavailable: no node answered, or the transaction is not this swap.
        """
        await self._ensure_open()
        return await self._outcomes.read(swap, transaction)

    async def _read(self, paths: Sequence[Path]) -> tuple[Block, Sequence[Reading]]:
        await self._ensure_open()
        block, readings = await self._pairs.read(paths)
        if not readings:
            raise NoRoute(paths)
        return block, readings

    async def _fee(self, call: SwapCall) -> Money:
        questions = (
            Request("eth_estimateGas", [request_of(call)]),
            Request("eth_gasPrice"),
            Request("eth_getBalance", [call.sender, "latest"]),
        )
        answers = await self._asking.ask_all(questions, answer=QUANTITY)
        gas, price, held = (int(answer, 16) for answer in answers)
        fee = gas * (100 + self._exchange.gas_margin_percent) // 100 * price
        if fee > self._exchange.fee_limit_wei:
            reason = f"{fee} wei of gas, over {self._exchange.fee_limit_wei}"
            raise SwapRefused(SwapFailure(Cause.GAS_PRICE, reason))
        if held < fee + call.value:
            raise SwapRefused(SwapFailure(Cause.GAS, f"{held} wei held, {fee + call.value} due"))
        return Money(fee, self._exchange.native)

    async def _ensure_open(self) -> None:
        if not self._fits:
            await self.open()
