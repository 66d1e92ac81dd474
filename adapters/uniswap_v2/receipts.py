"""What came of a swap, by the events of its own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.uniswap_v2.abi import (
    DEPOSIT_EVENT,
    SWAP_EVENT,
    TRANSFER_EVENT,
    WITHDRAWAL_EVENT,
    address_of,
    numbers_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adapters.uniswap_v2.requests import Log
    from adapters.uniswap_v2.settings import UniswapV2Exchange
    from domain.conversions.swaps import Swap

_SWAP_AMOUNTS = 4
"""What came in of either token, and what went out of either."""


@attrs.frozen
class Amounts:
    """Smallest units: what the sender spent, the last pool gave, and the recipient received."""

    spent: int
    given: int
    received: int


def amounts_of(
    logs: Sequence[Log], *, swap: Swap, pairs: Sequence[str], exchange: UniswapV2Exchange
) -> Amounts | None:
    """Read a swap's amounts, or return None where the events are not this swap's.

    Each event counts only from the contract that it is about: a token can put anything into its
    own. The native coin makes no events, so the wrapped coin's tell of it.

    Args:
        logs: All events of the transaction.
        swap: What was to be done.
        pairs: The pools on its path.
        exchange: Whose contracts they are.
    """
    source, target = exchange.token_of(swap.path.source), exchange.token_of(swap.path.target)
    if swap.path.source == exchange.native:
        spent = sum(_wrapped(logs, DEPOSIT_EVENT, exchange))
    else:
        spent = sum(_transfers(logs, source, sender=swap.sender, recipient=pairs[0]))
    if swap.path.target == exchange.native:
        given = sum(_given(logs, pairs[-1], recipient=exchange.router))
        received = sum(_wrapped(logs, WITHDRAWAL_EVENT, exchange))
    else:
        given = sum(_given(logs, pairs[-1], recipient=swap.recipient))
        received = sum(_transfers(logs, target, sender=pairs[-1], recipient=swap.recipient))
    return Amounts(spent, given, received) if spent and given else None


def _given(logs: Sequence[Log], pair: str, *, recipient: str) -> Iterator[int]:
    """Yield what a pair's swaps have sent out; of the two amounts, one is zero."""
    for topics, amounts in _events(logs, pair, SWAP_EVENT):
        if topics[1:] == [recipient] and len(amounts) == _SWAP_AMOUNTS:
            yield amounts[2] + amounts[3]


def _transfers(logs: Sequence[Log], token: str, *, sender: str, recipient: str) -> Iterator[int]:
    for topics, amounts in _events(logs, token, TRANSFER_EVENT):
        if topics == [sender, recipient] and len(amounts) == 1:
            yield amounts[0]


def _wrapped(logs: Sequence[Log], event: str, exchange: UniswapV2Exchange) -> Iterator[int]:
    """Yield what the router has wrapped or unwrapped."""
    for topics, amounts in _events(logs, exchange.wrapped, event):
        if topics == [exchange.router] and len(amounts) == 1:
            yield amounts[0]


def _events(
    logs: Sequence[Log], emitter: str, event: str
) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """Yield the addresses and the amounts of a contract's events of one kind."""
    for log in logs:
        kind = log.topics[0].lower() if log.topics else None
        if log.address.lower() == emitter and kind == event:
            addresses = [address_of(topic) for topic in log.topics[1:]]
            yield addresses, numbers_of(bytes.fromhex(log.data[2:]))
