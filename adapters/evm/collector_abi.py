"""The collector contract as the gateway speaks to it: one call, one event, and its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.evm.abi import WORD, address_of, address_word, selector, topic, uint_word, words_of
from adapters.evm.contracts import artifacts
from adapters.evm.wire import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.wire import LogLine

COLLECT: Final = selector("collect(address[],address[])")
MISSED: Final = topic("Missed(uint256)")
_SELECTOR_BYTES: Final = 4


def collect_call(places: Sequence[tuple[str, str]]) -> bytes:
    """Encode the call that moves a token of a holder for each place: ``(holder, token)``."""
    holders = [address_word(holder) for holder, _ in places]
    tokens = [address_word(token) for _, token in places]
    count = uint_word(len(places))
    head = [uint_word(2 * WORD), uint_word((3 + len(places)) * WORD)]
    return COLLECT + b"".join([*head, count, *holders, count, *tokens])


def collected(data: bytes) -> tuple[tuple[str, str], ...] | None:
    """Read what `collect_call` has written, and nothing else; None for any other call."""
    words = words_of("0x" + data[_SELECTOR_BYTES:].hex())
    if not data.startswith(COLLECT) or words is None or len(words) % 2:
        return None
    count = (len(words) - 4) // 2
    addresses = [address_of(word) for word in (*words[3 : 3 + count], *words[4 + count :])]
    known = [address for address in addresses if address is not None]
    places = tuple(zip(known[:count], known[count:], strict=False))
    return places if collect_call(places) == data else None


def missed(logs: Sequence[LogLine], *, collector: str | None) -> frozenset[int]:
    """Return the places of a batch of which nothing came, from its transaction's events.

    The contract's lock keeps anybody else's batch out of one, so they are all this one's.
    """
    return frozenset(
        number(log.topics.second)
        for log in logs
        if log.address.lower() == collector and (log.topics.first or "").lower() == MISSED
        if log.topics.second is not None
    )


def collector_code(collector: str, *, destination: str) -> bytes:
    """Return the code that has to be at the collector's address."""
    artifact = artifacts.load("SwitchyardCollector")
    return artifact.deployed(address_word(destination), address_word(collector))
