"""Delivering what is due: many endpoints side by side, none of which can hold up the others."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.ids import DeliveryId
from domain.webhooks.model import Try
from domain.webhooks.trying import TAKEN_FOR, Outgoing, Tried, attempt, note, send_or_park
from ports.clock import Clock
from ports.errands import Errands
from ports.ids import Ids
from ports.publisher import Publisher
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from datetime import datetime


EACH_MAX: Final = 16
"""How many messages are under way to one endpoint at a time, from one process."""

ROOM_SHARE: Final = 8
"""An endpoint has at most this part of the room there is left."""

STRETCH: Final = timedelta(seconds=60)
"""How long one job goes on; what is under way by then is seen to by the next one."""

log = logging.getLogger(__name__)


@attrs.define(eq=False)
class Dispatch:
    """One process's share of the deliveries. However many jobs ask for it, one carries it out.

    Deliveries are taken, and what came of earlier ones is noted, in one transaction; messages are
    sent outside of any. Whoever dies in between leaves deliveries that come due again by
    themselves: they are sent a second time under the same id, and none is lost.
    """

    begin: Begin
    clock: Clock
    ids: Ids
    publisher: Publisher
    errands: Errands[Tried]
    _under_way: dict[DeliveryId, Outgoing] = attrs.field(factory=dict, init=False)
    _unnoted: list[Tried] = attrs.field(factory=list, init=False)
    _busy: bool = attrs.field(default=False, init=False)

    async def run(self) -> None:
        """Deliver until nothing is due and nothing under way, or for as long as a stretch.

        Where another job does so already, it is told that there may be more.
        """
        if self._busy:
            self.errands.nudge()
            return
        self._busy = True
        try:
            await self._run(until=self.clock.now() + STRETCH)
        finally:
            self._busy = False

    async def _run(self, *, until: datetime) -> None:
        while True:
            is_more = await self._exchange()
            if self.clock.now() >= until or not (is_more or self._under_way):
                return
            # What ended meanwhile is noted as the next ones are taken: so messages are under way
            # while the storage works, and neither waits for the other.
            for tried in await self.errands.ended(wait=not is_more):
                self._unnoted.append(tried)
                del self._under_way[tried.delivery.id]

    async def _exchange(self) -> bool:
        """Note what has ended and begin what is due; return whether there may be more.

        The less room there is, the less of it one endpoint may have, and a part is always kept:
        however many servers die at once, there is room for one that they have not taken.
        """
        at, noted = self.clock.now(), [*self._unnoted]
        room = self.errands.capacity - len(self._under_way)
        limit = (room + 1) // 2
        under_way = Counter(it.endpoint.id for it in self._under_way.values())
        async with self.begin() as work:
            await note(work, self.ids, noted, at=at)
            taken = await work.webhooks.take_due(
                at=at,
                until=at + TAKEN_FOR,
                limit=limit,
                each_max=min(EACH_MAX, max(room // ROOM_SHARE, 1)),
                under_way=under_way,
            )
            sent = await send_or_park(work, taken) if taken else []
            await work.commit()
        del self._unnoted[: len(noted)]
        for outgoing in sent:
            # One that a person has begun again is under way already, and that will do.
            if outgoing.delivery.id not in self._under_way:
                self._under_way[outgoing.delivery.id] = outgoing
                self.errands.begin(partial(self._post, outgoing))
        return len(taken) == limit > 0

    async def _post(self, outgoing: Outgoing) -> Tried:
        at = self.clock.now()
        try:
            return await attempt(outgoing, begin=self.begin, publisher=self.publisher, at=at)
        except Exception as error:  # An errand that failed would keep its place for ever.
            log.exception("delivery %s", outgoing.delivery.id)
            tried = Try(at=at, status=None, detail=f"not sent: {type(error).__name__}")
            return Tried(outgoing.delivery, outgoing.endpoint, tried)
