"""A swap as the router takes it: one transaction, and what must be allowed before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from adapters.uniswap_v2.abi import (
    SWAP_COIN,
    SWAP_TOKENS,
    SWAP_TOKENS_FOR_COIN,
    approve_call,
    swap_call,
)
from adapters.uniswap_v2.settings import NotOnThisExchange
from domain.conversions.swaps import Cause, Purpose, SwapCall, SwapFailure
from ports.exchange import SwapRefused

if TYPE_CHECKING:
    from adapters.uniswap_v2.settings import UniswapV2Exchange
    from domain.conversions.pools import Path
    from domain.conversions.swaps import Swap

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


def route_of(path: Path, *, exchange: UniswapV2Exchange) -> tuple[str, ...] | None:
    """Return a path's tokens; None where the coin and its wrapped token make one of them double.

    Raises:
        NotOnThisExchange: an asset is of another chain.
    """
    route = tuple(exchange.token_of(asset) for asset in path.assets)
    return route if len(set(route)) == len(route) else None


def swap_transaction(swap: Swap, *, exchange: UniswapV2Exchange) -> SwapCall:
    """Return the swap itself.

    Raises:
        SwapRefused: the router cannot express it.
    """
    try:
        sender, recipient = exchange.account(swap.sender), exchange.account(swap.recipient)
        route = route_of(swap.path, exchange=exchange)
    except NotOnThisExchange as error:
        raise _refused(f"{error.name} is not of {error.chain}") from error
    if route is None:
        raise _refused("the wrapped coin is the coin")
    from_coin = swap.path.source == exchange.native
    to_coin = swap.path.target == exchange.native
    tokens = SWAP_TOKENS_FOR_COIN if to_coin else SWAP_TOKENS
    return SwapCall(
        purpose=Purpose.SWAP,
        sender=sender,
        target=exchange.router,
        data=swap_call(
            SWAP_COIN if from_coin else tokens,
            amount_in=None if from_coin else swap.money_in.amount,
            minimum_out=swap.minimum_out.amount,
            route=route,
            recipient=recipient,
            # A fraction of a second is cut off: the swap is never taken later than asked.
            deadline=(swap.deadline - _EPOCH) // _SECOND,
        ),
        value=swap.money_in.amount if from_coin else 0,
    )


def approvals(swap: Swap, *, allowed: int, exchange: UniswapV2Exchange) -> tuple[SwapCall, ...]:
    """Return what lets the router take exactly the amount, given what it may take already.

    Tokens like USDT change an allowance by way of zero alone, and no token minds that.
    """
    wanted = swap.money_in.amount
    if swap.path.source == exchange.native or allowed == wanted:
        return ()
    approve = _approval(swap, Purpose.APPROVE, wanted, exchange)
    return (_approval(swap, Purpose.RESET, 0, exchange), approve) if allowed else (approve,)


def _approval(swap: Swap, purpose: Purpose, amount: int, exchange: UniswapV2Exchange) -> SwapCall:
    return SwapCall(
        purpose=purpose,
        sender=swap.sender,
        target=exchange.token_of(swap.path.source),
        data=approve_call(exchange.router, amount),
        value=0,
    )


def _refused(reason: str) -> SwapRefused:
    return SwapRefused(SwapFailure(Cause.NO_ROUTE, reason))
