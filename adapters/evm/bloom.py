"""Block blooms: proof that a block holds no event of interest, never that it holds one.

A node behind a load balancer may be asked for the logs of a block it has not seen, and says "none"
without an error. The header's bloom, read from a node that has the block, gives it away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eth_hash.auto import keccak

if TYPE_CHECKING:
    from collections.abc import Iterable

_BITS = 2048
_BIT_PAIRS = (0, 2, 4)
"""Yellow paper, 4.4.3: three bits, each named by a pair of bytes of the value's hash."""


class BloomWatch:
    """Watches for events: pairs of an emitter's address and a first topic, as ``0x`` hex."""

    def __init__(self, events: Iterable[tuple[str, str]]) -> None:
        self._masks: Final = tuple({_bits(emitter) | _bits(topic) for emitter, topic in events})

    def may_hold(self, logs_bloom: str) -> bool:
        """Tell whether a block with this bloom can hold one of the events."""
        bloom = int(logs_bloom, 16) if len(logs_bloom) > len("0x") else 0
        return any(bloom & mask == mask for mask in self._masks)


def _bits(value: str) -> int:
    digest = keccak(bytes.fromhex(value[2:]))
    mask = 0
    for at in _BIT_PAIRS:
        mask |= 1 << int.from_bytes(digest[at : at + 2], "big") % _BITS
    return mask
