"""Which keys may stand beside each other, replace each other, and be given out by whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from domain.merchants.scopes import covers
from domain.shared.ids import KeyId

if TYPE_CHECKING:
    from collections.abc import Collection

    from domain.merchants.model import ApiKey, Network
    from domain.merchants.scopes import Scope

ACTIVE_MAX = 100
"""How many keys of a merchant's are active at most."""
OVERLAP = timedelta(days=1)
"""How long a key that was replaced counts on, where nothing else is said."""
OVERLAP_MAX = timedelta(days=7)
EXPIRY_MAX = timedelta(days=3650)
"""How far ahead a key may expire that does."""


@attrs.frozen
class KeyNameTaken(Exception):
    """There is an active key of this name; it can be regenerated or revoked."""

    name: str


@attrs.frozen
class TooManyKeys(Exception):
    """There are as many active keys as there may be."""

    limit: int = ACTIVE_MAX


@attrs.frozen
class ExpiryOutOfRange(ValueError):
    """A key expires in the future, and not later than in ten years."""

    expires_at: datetime


@attrs.frozen
class KeyEnded(Exception):
    """The key was revoked or has expired, so there is nothing to replace."""

    id: KeyId


@attrs.frozen
class RotationUnderWay(Exception):
    """Two keys of this name are active already."""

    name: str


@attrs.frozen
class NotHeld(Exception):
    """A key gives out no more than it has itself."""

    scopes: tuple[str, ...]
    networks: tuple[str, ...]


def must_lie_ahead(expires_at: datetime | None, *, at: datetime) -> None:
    """Let a key expire at a time, or never.

    Raises:
        ExpiryOutOfRange: the time is over, or too far away.
    """
    if expires_at is not None and not at < expires_at <= at + EXPIRY_MAX:
        raise ExpiryOutOfRange(expires_at)


def must_be_free(name: str, *, among: Collection[ApiKey], at: datetime) -> None:
    """Let a new name be used, and one more key be made.

    Raises:
        KeyNameTaken: an active key has the name.
        TooManyKeys: there are as many as there may be.
    """
    active = [key for key in among if key.is_active(at=at)]
    if any(key.name == name for key in active):
        raise KeyNameTaken(name)
    if len(active) >= ACTIVE_MAX:
        raise TooManyKeys


def must_be_replaceable(old: ApiKey, *, among: Collection[ApiKey], at: datetime) -> None:
    """Let a key be replaced by one of the same name.

    Raises:
        KeyEnded: it opens nothing any more.
        RotationUnderWay: another one of its name is active.
    """
    if not old.is_active(at=at):
        raise KeyEnded(old.id)
    if any(key.name == old.name and key.id != old.id and key.is_active(at=at) for key in among):
        raise RotationUnderWay(old.name)


def must_hold(
    giver: ApiKey | None, *, scopes: Collection[Scope], networks: Collection[Network]
) -> None:
    """Let a key with these scopes and networks be given out; an operator gives out anything.

    Who has a key that is limited to some networks could otherwise make himself one that is not.

    Raises:
        NotHeld: the giver has less.
    """
    if giver is None:
        return
    lacking = tuple(sorted(scope for scope in scopes if not covers(giver.scopes, scope)))
    outside = [it for it in networks if not any(_lies_in(it, held) for held in giver.networks)]
    if not giver.networks:
        outside = []
    elif not networks:
        raise NotHeld(lacking, ("0.0.0.0/0", "::/0"))
    if lacking or outside:
        raise NotHeld(lacking, tuple(str(each) for each in outside))


def descend(key: ApiKey, *, giver: ApiKey | None, old: ApiKey | None = None) -> ApiKey:
    """Note on a new key from which key of an operator's it descends.

    One that replaces another descends from who asked for it: he has learnt its text.
    """
    parent = giver or old
    return attrs.evolve(key, root=parent.root if parent else key.id)


def _lies_in(network: Network, held: Network) -> bool:
    return (
        network.version == held.version
        and network.network_address in held
        and network.broadcast_address in held
    )
