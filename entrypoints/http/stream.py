"""The event stream: a merchant's events as they are committed, by Server-Sent Events.

The API of browsers for it is ``EventSource`` (HTML, section 9.2): each event comes with its number
as ``id``, and whoever comes back names the last one he has seen in ``Last-Event-ID``. The stream
goes on behind it, from the storage first, so that nothing is missed or told twice. It is not in
the API's document: what never ends is no response that a generated client could read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Annotated, ClassVar

import attrs
from starlette.responses import Response
from starlette.routing import Route

from domain.merchants.scopes import Scope
from domain.shared.ids import KeyId
from entrypoints.http.admission import Admission, key_of
from entrypoints.http.codec import reader
from entrypoints.http.endpoint import Operation
from entrypoints.http.fan_out import FanOut, Told
from entrypoints.http.problems import ProblemType, Refusal
from entrypoints.http.request import read_query
from entrypoints.http.schema import Listing, Number, Text
from entrypoints.http.visits import visit_of
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.requests import Request
    from starlette.types import Receive, Send
    from starlette.types import Scope as AsgiScope

    from domain.merchants.model import Merchant
    from domain.shared.ids import MerchantId

PATH = "/v1/stream"
MEDIA_TYPE = "text/event-stream"
PAGE = 100
"""How many events are read from the storage at once, for one who is behind."""
RETRY_MS = 1000
"""After which time clients are asked to come back."""
TYPES_MAX = 32
_SEQUENCE = Number(minimum=0, maximum=2**63 - 1)
HEADERS = {
    "Cache-Control": "no-store",
    # Has nginx pass on each event at once.
    "X-Accel-Buffering": "no",
}
_OPERATION = Operation(
    method="GET",
    path=PATH,
    summary="Follow events",
    status=200,
    tags=(),
    idempotency="none",
    scope=Scope.EVENTS_READ,
    problems=(),
)


@attrs.frozen(eq=False)
class UnknownPlace(Refusal):
    """There is no event of this number: the stream of another account, or no number at all."""

    problem: ClassVar = ProblemType(400, "unknown-place", "Unknown place in the stream")


@attrs.frozen(eq=False)
class StreamsLimited(Refusal):
    """Too many streams are open with the key; close some of them."""

    problem: ClassVar = ProblemType(
        429,
        "too-many-streams",
        "Too many streams",
        detail="At most {limit} streams with one key may be open.",
        fields=("limit",),
        headers={"Retry-After": "retry_after_seconds"},
    )

    limit: int
    retry_after_seconds: int = 5


@attrs.frozen(kw_only=True)
class Following:
    """From where on, and what."""

    after: Annotated[int, _SEQUENCE] | None = None
    types: Annotated[
        list[Annotated[str, Text(pattern=r"^([a-z_]+\.)*([a-z_]+|\*)$", max_length=64)]],
        Listing(max_items=TYPES_MAX),
    ] = attrs.field(factory=list)

    @property
    def wanted(self) -> Callable[[str], bool]:
        """What tells whether a type is one of those named; ``payment.*`` names many."""
        names = self.types or ["*"]
        exact = frozenset(name for name in names if not name.endswith("*"))
        beginnings = tuple(name.removesuffix("*") for name in names if name.endswith("*"))
        return lambda name: name in exact or name.startswith(beginnings)


_read_query = reader(Following, textual=True)


@attrs.frozen(kw_only=True)
class Pace:
    """How often a stream does what no event has it do."""

    heartbeat_seconds: float = 15.0
    """After this time of silence something is sent, so that nobody on the way hangs up."""
    look_at_key_seconds: float = 5.0
    """How often the key is looked at again."""
    stall_seconds: float = 20.0
    """How long a client may take nothing of what is sent before he is given up."""
    tick_seconds: float = 1.0
    """How exact all these times are."""


@attrs.frozen(kw_only=True)
class Streams:
    """The streams of this process: who may have how many, and what they are told from."""

    admission: Admission
    fan_out: FanOut
    at_once: int
    """How many may be open with one key."""
    pace: Pace = attrs.field(factory=Pace)
    _open: Counter[KeyId] = attrs.field(factory=Counter, init=False, eq=False)

    def route(self) -> Route:
        """Return the route of the stream."""
        return Route(PATH, self.answer, methods=["GET"])

    async def answer(self, request: Request) -> Response:
        """Begin a stream.

        Raises:
            Refusal: as for any operation; and there is no such place, or too many are open.
            StorageUnavailable: the storage does not answer.
        """
        merchant: Merchant = await self.admission(request, _OPERATION)
        query = read_following(request)
        newest = await self.fan_out.service.newest(owner=merchant.id)
        place = place_of(request, query)
        if place is not None and place > newest:
            raise UnknownPlace
        if request.method == "HEAD":
            return Response(media_type=MEDIA_TYPE, headers=HEADERS)
        self._enter(request)
        return EventStream(
            request=request,
            fan_out=self.fan_out,
            pace=self.pace,
            still_admits=self.admission.still_admits,
            owner=merchant.id,
            newest=newest,
            place=newest if place is None else place,
            wanted=query.wanted,
        )

    def _enter(self, request: Request) -> None:
        """Count a stream as open until its end, and no longer as a request under way."""
        key_id = key_of(request.scope).id
        if self._open[key_id] >= self.at_once:
            raise StreamsLimited(self.at_once)
        visit = visit_of(request.scope)
        if visit is None:
            raise TypeError("a stream is only for who was let in")
        if visit.left is not None:
            visit.left()
        self._open[key_id] += 1

        def left() -> None:
            self._open[key_id] -= 1
            if not self._open[key_id]:
                del self._open[key_id]

        visit.left = left


def read_following(request: Request) -> Following:
    """Return what a client asks to follow.

    Raises:
        Refusal: the query is not right.
    """
    words = read_query(request.scope["query_string"], lists=frozenset({"types"}))
    query: Following = _read_query(words)
    return query


def place_of(request: Request, query: Following) -> int | None:
    """Return behind which number to begin: what a client has seen, or what he asks for.

    Who comes back asks for the address that he asked for at first, so what he has seen counts.
    """
    seen = request.headers.get("last-event-id")
    if seen is None:
        return query.after
    try:
        return int(_SEQUENCE.check(_SEQUENCE.parse(seen)))
    except ValueError as error:
        raise UnknownPlace from error


class EventStream(Response):
    """One stream, as a response that lasts until its client leaves, or must."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        *,
        request: Request,
        fan_out: FanOut,
        pace: Pace,
        still_admits: Callable[[Request], Awaitable[bool]],
        owner: MerchantId,
        newest: int,
        place: int,
        wanted: Callable[[str], bool],
    ) -> None:
        super().__init__(headers=HEADERS)
        # Its length is not known.
        del self.headers["content-length"]
        self._request, self._owner = request, owner
        self._fan_out, self._pace, self._still_admits = fan_out, pace, still_admits
        self._newest = newest
        self._place = place
        """The number of the newest event that was dealt with."""
        self._known = place
        """The number that the client knows as the last one."""
        self._wanted = wanted
        self._due = self._writing_since = 0.0
        """When there is something to do without an event; and since when, if so, it is sending."""
        self._given_up = False

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Send events until the client leaves or the stream has to end.

        A client that takes nothing any more is left without an ending, which is how a server
        hangs up.
        """
        del scope
        self._send = send
        listener = self._fan_out.join(self._owner, after=self._newest)
        self._listener = listener
        leaving = asyncio.create_task(_left(receive))
        leaving.add_done_callback(lambda _: listener.close())
        ticking = asyncio.create_task(self._tick(asyncio.current_task()))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._tell_all()
            await self._write(b"", more=False)
        except asyncio.CancelledError:
            if not self._given_up:
                raise
        finally:
            leaving.cancel()
            ticking.cancel()
            self._fan_out.leave(listener)

    async def _tell_all(self) -> None:
        clock, pace, listener = asyncio.get_running_loop(), self._pace, self._listener
        # The number alone: who leaves before the first event comes back to this place.
        await self._write(b"retry: %d\nid: %d\n\n" % (RETRY_MS, self._place))
        silent_until = clock.time() + pace.heartbeat_seconds
        look_at = clock.time() + pace.look_at_key_seconds
        while not listener.closed:
            if listener.missed(self._place) and not await self._catch_up():
                return
            self._due = min(silent_until, look_at)
            await listener.wait()
            told = await self._tell(listener.take())
            now = clock.time()
            if told:
                silent_until = now + pace.heartbeat_seconds
            elif now >= silent_until:
                silent_until = now + pace.heartbeat_seconds
                await self._beat()
            if now >= look_at:
                look_at = now + pace.look_at_key_seconds
                if not await self._still_admits(self._request):
                    return

    async def _tick(self, telling: asyncio.Task[None] | None) -> None:
        """Wake this stream when something is due, and give it up when it takes nothing more.

        A timer for each wait and each piece sent would cost more than all else about them.
        """
        clock, pace = asyncio.get_running_loop(), self._pace
        while telling is not None:
            await asyncio.sleep(pace.tick_seconds)
            now = clock.time()
            if self._writing_since and now > self._writing_since + pace.stall_seconds:
                self._given_up = True
                telling.cancel()
                return
            if now >= self._due:
                self._listener.wake()

    async def _tell(self, waiting: Iterable[Told]) -> bool:
        """Send events, but for those that were sent already; return whether there were any."""
        texts = []
        for told in waiting:
            if told.sequence <= self._place:
                continue
            if told.sequence > self._place + 1:
                # Some were forgotten before this one: all of them are read from the storage.
                break
            self._place = told.sequence
            if self._wanted(told.type):
                texts.append(told.text)
                self._known = told.sequence
        if texts:
            await self._write(b"".join(texts))
        return bool(texts)

    async def _catch_up(self) -> bool:
        """Send what the storage has behind the place; return False where it does not answer."""
        while not self._listener.closed:
            try:
                found = await self._fan_out.service.feed(
                    owner=self._owner, after=self._place, limit=PAGE
                )
            except StorageUnavailable:
                return False
            if found and found[0].sequence > self._place + 1:
                # What is missing was dropped meanwhile: he is told so when he comes back.
                return False
            await self._tell(Told.of(recorded) for recorded in found)
            if len(found) < PAGE:
                break
        return True

    async def _beat(self) -> None:
        """Say that all is well, and up to where there was nothing for this client."""
        moved = b"" if self._known == self._place else b"id: %d\n" % self._place
        self._known = self._place
        await self._write(b":\n%b\n" % moved)

    async def _write(self, text: bytes, *, more: bool = True) -> None:
        """Send text, and wait while the client takes nothing."""
        self._writing_since = asyncio.get_running_loop().time()
        await self._send({"type": "http.response.body", "body": text, "more_body": more})
        self._writing_since = 0.0


async def _left(receive: Receive) -> None:
    """Return when the client has gone; whatever else he sends is of no interest."""
    while (await receive())["type"] != "http.disconnect":
        pass
