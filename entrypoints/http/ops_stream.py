"""The stream of the gateway's own events, for operators; all else is as at merchants' streams."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import attrs
from starlette.responses import Response
from starlette.routing import Route

from domain.operators.model import Operators, OperatorScope
from domain.shared.platform import PLATFORM
from entrypoints.http.endpoint import Authenticate, Operation
from entrypoints.http.fan_out import FanOut
from entrypoints.http.operators import operator_of
from entrypoints.http.problems import ProblemType, Refusal, Unauthenticated
from entrypoints.http.stream import (
    HEADERS,
    MEDIA_TYPE,
    EventStream,
    Pace,
    StreamsLimited,
    UnknownPlace,
    place_of,
    read_following,
)
from entrypoints.http.visits import Visit

if TYPE_CHECKING:
    from starlette.requests import Request


PATH = "/v1/ops/stream"
_OPERATION = Operation(
    method="GET",
    path=PATH,
    summary="Follow the gateway's events",
    status=200,
    tags=(),
    idempotency="none",
    scope=OperatorScope.READ,
    problems=(),
)


@attrs.frozen(eq=False)
class PlaceGone(Refusal):
    """What follows this place is not kept any more; begin behind the number that is named."""

    problem: ClassVar = ProblemType(
        410,
        "place-gone",
        "Place in the stream gone",
        detail="Events up to number {dropped} are not kept any more.",
        fields=("dropped",),
    )

    dropped: int


@attrs.frozen(kw_only=True)
class OpsStreams:
    """The operators' streams of this process."""

    authenticate: Authenticate
    operators: Operators
    fan_out: FanOut
    at_once: int
    """How many may be open with one token."""
    pace: Pace
    _open: Counter[str] = attrs.field(factory=Counter, init=False, eq=False)

    def route(self) -> Route:
        """Return the route of the stream."""
        return Route(PATH, self.answer, methods=["GET"])

    async def answer(self, request: Request) -> Response:
        """Begin a stream.

        Raises:
            Refusal: no operator may ask for this with such a token; there is no such place, or no
                more; or too many are open.
            StorageUnavailable: the storage does not answer.
        """
        await self.authenticate(request, _OPERATION)
        query = read_following(request)
        newest = await self.fan_out.service.newest(owner=PLATFORM)
        place = place_of(request, query)
        if place is not None:
            await self._must_be_there(place, newest)
        if request.method == "HEAD":
            return Response(media_type=MEDIA_TYPE, headers=HEADERS)
        self._enter(request)
        return EventStream(
            request=request,
            fan_out=self.fan_out,
            pace=self.pace,
            still_admits=self._still_admits,
            owner=PLATFORM,
            newest=newest,
            place=newest if place is None else place,
            wanted=query.wanted,
        )

    async def _must_be_there(self, place: int, newest: int) -> None:
        """Make sure that all that follows a place can be told.

        Raises:
            UnknownPlace: it is yet to come.
            PlaceGone: some of it has been dropped.
        """
        if place > newest:
            raise UnknownPlace
        following = await self.fan_out.service.feed(owner=PLATFORM, after=place, limit=1)
        oldest = following[0].sequence if following else newest + 1
        if oldest > place + 1:
            raise PlaceGone(oldest - 1)

    async def _still_admits(self, request: Request) -> bool:
        found = operator_of(request, self.operators)
        return found is not None and OperatorScope.READ in found.scopes

    def _enter(self, request: Request) -> None:
        """Count a stream as open until its end."""
        operator = operator_of(request, self.operators)
        if operator is None:
            raise Unauthenticated
        if self._open[operator.name] >= self.at_once:
            raise StreamsLimited(self.at_once)
        self._open[operator.name] += 1

        def left() -> None:
            self._open[operator.name] -= 1
            if not self._open[operator.name]:
                del self._open[operator.name]

        Visit(answered=lambda _: None, left=left).begin(request.scope)
