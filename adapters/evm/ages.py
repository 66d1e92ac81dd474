"""The newest block of a provider that is old enough, found by few questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.evm.rpc import Call
from adapters.evm.wire import HEADER, number
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.providers import Provider
    from adapters.evm.wire import BlockHeader

ASKED_AT_ONCE: Final = 16
"""Blocks of one batch: what is left to look through becomes that many times less."""

ROUNDS_MAX: Final = 10
"""Enough for a chain of 16 to the power of 9 blocks, after a guess that was wrong."""


async def newest_aged(provider: Provider, *, highest: int, by: int, hint: int) -> BlockHeader:
    """Return the newest block whose time is not after a moment, or the chain's very first.

    Blocks' times never fall from one to the next, so halving finds it. Who looks every second
    finds it in one batch, because it is the one of the last time or one of the next.

    Args:
        provider: Who is asked, for all of it.
        highest: The number of the last block that comes into question.
        by: The moment, in Unix time.
        hint: The number that was found the last time; 0 where none was.

    Raises:
        ChainUnavailable: no usable answer, or a block below the newest is missing.
    """
    below, above = 0, highest + 1
    found: BlockHeader | None = None
    asked = _upwards(hint, highest)
    for _ in range(ROUNDS_MAX):
        for header in await _headers(provider, asked):
            at = number(header.number)
            if at and number(header.timestamp) > by:
                above = at
                break
            below, found = at, header
        if found is not None and above - below == 1:
            return found
        asked = _between(below, above, found=found is not None)
    raise ChainUnavailable("the node's blocks are in no order of time")


def _upwards(hint: int, highest: int) -> list[int]:
    """Return the block of the last time, those next to it, and more and more distant ones."""
    first = min(hint, highest)
    steps = (*range(4), *(4 << doubling for doubling in range(ASKED_AT_ONCE - 4)))
    return [first + step for step in steps if first + step <= highest]


def _between(below: int, above: int, *, found: bool) -> list[int]:
    """Return numbers spread over a range, its ends left out, but for a low end not yet known."""
    inside = above - below - 1
    count = min(inside, ASKED_AT_ONCE - 1)
    spread = [below + (each * (inside + 1)) // (count + 1) for each in range(1, count + 1)]
    return spread if found else [below, *spread]


async def _headers(provider: Provider, numbers: Sequence[int]) -> list[BlockHeader]:
    calls = [Call("eth_getBlockByNumber", [hex(each), False]) for each in numbers]
    headers = []
    for each, header in zip(numbers, await provider.batch(calls, answer=HEADER), strict=True):
        if header is None or number(header.number) != each:
            raise ChainUnavailable(f"block {each} is missing below the latest")
        headers.append(header)
    return headers
