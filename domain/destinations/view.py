"""Payout destinations and their changes as the merchant sees them, in the API and in events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.rendering import render_time, render_time_or_none

if TYPE_CHECKING:
    from domain.destinations.model import Destination, DestinationChange, Party
    from domain.shared.events import Json


def view_change(change: DestinationChange) -> dict[str, Json]:
    """Show a change, with both addresses: they are public on their chain anyway."""
    return {
        "id": change.id,
        "object": "payout_destination_change",
        "state": change.state.value,
        "chain": change.chain,
        "address": change.address,
        "replaces": change.replaces,
        "requested_by": str(change.requested_by),
        "requested_at": render_time(change.requested_at),
        "lapses_at": render_time(change.lapses_at),
        "approved_by": _party(change.approved_by),
        "approved_at": render_time_or_none(change.approved_at),
        "effective_at": render_time_or_none(change.effective_at),
        "ended_by": _party(change.ended_by),
        "ended_at": render_time_or_none(change.ended_at),
        "reason": change.reason,
        "metadata": dict(change.metadata),
    }


def view_destination(destination: Destination) -> dict[str, Json]:
    """Show where a merchant is paid on a chain, and what is about to change there."""
    change = destination.change
    return {
        "object": "payout_destination",
        "chain": destination.chain,
        "address": destination.address,
        "change": None if change is None else view_change(change),
    }


def _party(party: Party | None) -> str | None:
    return None if party is None else str(party)
