"""Who was recognised by which API key a moment ago, so that not every request asks the storage."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import attrs

from domain.merchants.model import Caller

RECOGNISED_FOR = timedelta(seconds=5)
"""How long a key that was revoked, or a merchant's terms that were changed, may still count."""

KEYS_MAX = 4096
"""How many keys are remembered at most; the one not used for the longest time is forgotten."""


@attrs.frozen
class _Sighting:
    caller: Caller
    seen_at: datetime


@attrs.frozen
class Recognition:
    """Callers by the digest of their key, each as the storage knew them at most so long ago.

    Only keys that are valid are remembered: a new key counts at once, and guessing keys fills
    nothing.
    """

    _sightings: OrderedDict[bytes, _Sighting] = attrs.field(factory=OrderedDict, init=False)
    _asking: WeakValueDictionary[bytes, asyncio.Lock] = attrs.field(
        factory=WeakValueDictionary, init=False
    )

    def asking(self, digest: bytes) -> asyncio.Lock:
        """Return what is held to ask the storage about a key: many may want to at one moment."""
        return self._asking.setdefault(digest, asyncio.Lock())

    def find(self, digest: bytes, *, at: datetime) -> Caller | None:
        """Return who has this key, if the storage was asked lately."""
        sighting = self._sightings.get(digest)
        if sighting is None:
            return None
        # A clock that was put back must not make a sighting last for longer.
        if not timedelta(0) <= at - sighting.seen_at < RECOGNISED_FOR:
            del self._sightings[digest]
            return None
        self._sightings.move_to_end(digest)
        return sighting.caller

    def remember(self, digest: bytes, caller: Caller, *, at: datetime) -> None:
        """Note what the storage, when asked not before ``at``, knew of a key."""
        self._sightings[digest] = _Sighting(caller, at)
        self._sightings.move_to_end(digest)
        if len(self._sightings) > KEYS_MAX:
            self._sightings.popitem(last=False)

    def forget(self, digest: bytes) -> None:
        """Ask the storage about a key the next time."""
        self._sightings.pop(digest, None)
