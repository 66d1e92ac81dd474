"""What was refused or failed, gathered in memory until it is stored."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final

import attrs

from domain.audit.model import Entry, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ENTRIES_MAX: Final = 2000
"""How many entries are kept at a time."""
AT_THE_DOOR_MAX: Final = 500
"""How many of them may be of callers who were not let in: they crowd nobody else out."""
TURNED_AWAY: Final = frozenset({401, 403, 429})
"""The statuses of those who were not let in."""
LOST_ACTION: Final = "audit"
"""The action of the entry that tells how many were lost."""


@attrs.define(eq=False)
class Gathered:
    """Entries of this process that are not stored yet; lost if it is killed.

    Nobody who has no key, or asks too often with one, fills the log: what such a caller is
    refused for the same reason until it is stored makes one entry, with how often it was.
    """

    _inside: list[Entry] = attrs.field(factory=list, init=False)
    _at_the_door: dict[Hashable, Entry] = attrs.field(factory=dict, init=False)
    _lost: int = attrs.field(default=0, init=False)

    def add(self, entry: Entry) -> None:
        """Keep an entry, or count it where there are too many."""
        likeness = _likeness(entry)
        if likeness is None and len(self._inside) < ENTRIES_MAX - AT_THE_DOOR_MAX:
            self._inside.append(entry)
        elif alike := self._at_the_door.get(likeness):
            self._at_the_door[likeness] = attrs.evolve(alike, times=alike.times + entry.times)
        elif likeness is not None and len(self._at_the_door) < AT_THE_DOOR_MAX:
            self._at_the_door[likeness] = entry
        else:
            self._lost += entry.times

    def take(self, *, at: datetime) -> Sequence[Entry]:
        """Hand over what was gathered, with one entry more for what was lost; begin anew."""
        entries = [*self._inside, *self._at_the_door.values()]
        lost, self._lost = self._lost, 0
        self._inside.clear()
        self._at_the_door.clear()
        if lost:
            entries.append(Entry(at=at, action=LOST_ACTION, outcome=Outcome.LOST, times=lost))
        return entries

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Take back what could not be stored."""
        for entry in entries:
            if entry.outcome is Outcome.LOST:
                self._lost += entry.times
            else:
                self.add(entry)


def _likeness(entry: Entry) -> Hashable | None:
    """Return what refusals at the door have in common to be one entry; None for anything else."""
    if entry.status not in TURNED_AWAY:
        return None
    return (entry.actor_id, entry.address, entry.action, entry.problem, entry.detail)
