"""On which chains an address counts: all of one key's and one mode's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from domain.shared.modes import Mode
    from domain.shared.money import ChainId

Reach = NewType("Reach", str)
"""Names the chains on which an address is the same and counts: ``eip155/live``."""

_SHARED = frozenset({"eip155"})
"""Families of chains on which one place under one key is one address."""


def reach_of(chain: ChainId, mode: Mode) -> Reach:
    """Name the chains that share their addresses with one of a mode.

    All EVM chains of a mode do: whoever mistakes the chain has paid the same customer. Elsewhere
    an address is one chain's.
    """
    family = chain.partition(":")[0]
    return Reach(f"{family if family in _SHARED else chain}/{mode.value}")
