"""From the event log to everybody who listens in this process: read once, told to all.

However many listen, one task looks every few milliseconds for what follows each merchant's newest
event known here, all merchants in one query; nobody listening, it looks for nothing. What it
reads waits, as the bytes that are sent, for each of the merchant's listeners. Numbers have no
gaps, so a listener that missed something sees that, and reads it from the storage by himself.

Commits do not notify: a NOTIFY takes one lock of the whole server at each commit, so that all
that create events would wait for one another, whether anybody listens or not.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import attrs
import orjson

from domain.shared.ids import MerchantId
from domain.shared.visibility import seeing_all
from domain.webhooks.message import view_event
from domain.webhooks.service import WebhookService
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.shared.events import RecordedEvent

WAITING_MAX = 256
"""How many events wait for a listener; one more, and he has to read them all from the storage."""
EACH_MAX, READ_MAX = 100, 1000
"""How many events are read at once, of one merchant and of all."""
REST = 4
"""How many times as long as a look takes is waited until the next, at least."""
LOOKS_KEPT = 8
"""The quickest of so many says how long one takes: the others waited for something else too."""
PAUSE_SECONDS = 1.0
"""After a failure."""

log = logging.getLogger(__name__)


@attrs.frozen(eq=False)
class Told:
    """One event as it is sent to every listener."""

    sequence: int
    type: str
    text: bytes

    @classmethod
    def of(cls, recorded: RecordedEvent) -> Told:
        """Write an event as HTML's section 9.2 has it; JSON of ours is one line."""
        shown = orjson.dumps(view_event(recorded, previous=recorded.sequence - 1))
        kind = recorded.event.type
        head = f"id: {recorded.sequence}\nevent: {kind}\ndata: ".encode()
        return cls(recorded.sequence, kind, head + shown + b"\n\n")


@attrs.define(eq=False)
class _Audience:
    """Who listens to one merchant's events, and up to where they were read."""

    head: int
    listeners: set[Listener] = attrs.field(factory=set)


@attrs.define(eq=False)
class Listener:
    """One who listens. He is told of all events behind the head, as long as he keeps up."""

    owner: MerchantId
    _audience: _Audience
    _waiting: deque[Told] = attrs.field(factory=deque)
    _woken: asyncio.Event = attrs.field(factory=asyncio.Event)
    closed: bool = False
    """Whether nothing more will come."""

    def missed(self, place: int) -> bool:
        """Tell whether there are events behind a place that were read but do not wait here."""
        return not self._waiting and self._audience.head > place

    def tell(self, told: Told) -> None:
        """Have an event wait; where too many do, forget them all."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.clear()
        self._waiting.append(told)
        self._woken.set()

    def close(self) -> None:
        """Have nothing more come."""
        self.closed = True
        self._woken.set()

    def wake(self) -> None:
        """Let a wait end, although there is nothing to tell."""
        self._woken.set()

    async def wait(self) -> None:
        """Wait for an event, the end, or to be woken."""
        await self._woken.wait()

    def take(self) -> deque[Told]:
        """Take what waits."""
        taken, self._waiting = self._waiting, deque()
        if not self.closed:
            self._woken.clear()
        return taken


@attrs.define(eq=False, kw_only=True)
class FanOut:
    """Tells listeners what is committed, between the beginning and the end of ``running``."""

    service: WebhookService
    look_every_seconds: float = 0.025
    _audiences: OrderedDict[MerchantId, _Audience] = attrs.field(factory=OrderedDict, init=False)
    _somebody: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _closed: bool = attrs.field(default=False, init=False)

    def join(self, owner: MerchantId, *, after: int) -> Listener:
        """Listen to a merchant's events; ``after`` is the number of one that is new enough.

        All that follow it are read: where others listen already, those that they are not told of
        yet.
        """
        audience = self._audiences.get(owner)
        if audience is None:
            audience = self._audiences[owner] = _Audience(after)
        listener = Listener(owner, audience, closed=self._closed)
        audience.listeners.add(listener)
        self._somebody.set()
        return listener

    def leave(self, listener: Listener) -> None:
        """Stop listening."""
        audience = self._audiences[listener.owner]
        audience.listeners.discard(listener)
        if not audience.listeners:
            del self._audiences[listener.owner]

    def close(self) -> None:
        """End everybody's listening, and that of all who come from now on."""
        self._closed = True
        for audience in self._audiences.values():
            for listener in audience.listeners:
                listener.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read events for whoever listens, until this is left."""
        task = asyncio.create_task(self._look_again_and_again(), name="fan-out")
        try:
            yield
        finally:
            self.close()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _look_again_and_again(self) -> None:
        clock = asyncio.get_running_loop()
        took: deque[float] = deque(maxlen=LOOKS_KEPT)
        while True:
            if not self._audiences:
                self._somebody.clear()
                await self._somebody.wait()
            began = clock.time()
            try:
                found = await self._look()
            except StorageUnavailable as error:
                log.warning("no events can be read for streams: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:
                log.exception("events were not read for streams")
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                took.append(clock.time() - began)
                if found < READ_MAX:
                    await asyncio.sleep(max(self.look_every_seconds - took[-1], REST * min(took)))

    async def _look(self) -> int:
        """Tell what is new; return how many events that were."""
        places = {owner: audience.head for owner, audience in self._audiences.items()}
        with seeing_all():
            found = await self.service.feeds(places, each=EACH_MAX, limit=READ_MAX)
        for recorded in sorted(found, key=lambda it: it.sequence):
            owner = recorded.event.merchant_id
            audience = self._audiences.get(owner)
            # Who came or left while the storage was read has begun at a place of his own.
            if audience is None or recorded.sequence <= audience.head:
                continue
            told = Told.of(recorded)
            audience.head = told.sequence
            for listener in audience.listeners:
                listener.tell(told)
            # Whoever was served is asked for last the next time, so that none is left out.
            self._audiences.move_to_end(owner)
        return len(found)
