"""Several payouts, releases of escrows or sweeps by one transaction of an in-memory chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.memory.chain_state import Reverted
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from adapters.memory.bystanders import Effect
    from adapters.memory.chain_state import ChainState
    from adapters.memory.escrow_machine import EscrowMachine
    from domain.chains.instructions import Part, Release, SweptPlace


def pay_all(state: ChainState, sender: str, parts: Sequence[Part]) -> list[int]:
    """Pay each for itself; return the places of those that could not be paid."""
    failed = []
    for place, part in enumerate(parts):
        target, money = part.send.target, part.send.money
        if target in state.rejecting or state.balance(sender, money.asset) < money.amount:
            failed.append(place)
        else:
            state.move(sender, target, money)
    return failed


def release_all(
    machine: EscrowMachine, sender: str, releases: Sequence[Release], *, at: datetime
) -> list[int]:
    """Release each for itself; return the places of those that were left alone."""
    failed = []
    for place, one in enumerate(releases):
        try:
            machine.release(one.release.terms, by=sender, at=at)
        except Reverted:
            # The contract looks before it changes anything, so there is nothing to undo.
            failed.append(place)
    return failed


def doing_some(effect: Effect, asked: int) -> Effect:
    """Return what is tried out: a batch of which nothing would come is not worth its fee."""

    def trial(at: datetime) -> None:
        if len(effect(at) or ()) == asked:
            raise Reverted("nothing would come of it")

    return trial


def sweep_all(state: ChainState, target: str, places: Sequence[SweptPlace]) -> list[int]:
    """Move each address's whole balance; return the places at which nothing moved."""
    failed = []
    for place, one in enumerate(places):
        source, asset = one.sweep.source, one.sweep.money.asset
        held = state.balance(source, asset)
        if held and source not in state.blocked:
            state.move(source, target, Money(held, asset))
        else:
            failed.append(place)
    return failed
