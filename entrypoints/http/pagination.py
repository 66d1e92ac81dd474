"""Cursor pagination: opaque, signed positions, and the page they lead to.

A cursor is base64url(tag ‖ payload): the tag is the first 16 bytes of HMAC-SHA256 over the
listing's name and the payload, the payload a JSON array with the key of the last row seen. Signed,
so that no client builds one and our keys stay ours to change; bound to its listing, so that a
cursor of one is refused by another. It grants nothing: the query still filters by merchant.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode

import attrs
import orjson

from entrypoints.http.problems import ProblemType, Refusal
from entrypoints.http.schema import Described, Number, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from entrypoints.http.schema import Value

Row = TypeVar("Row")
View = TypeVar("View")

LIMIT_DEFAULT, LIMIT_MAX = 20, 100
_TAG_BYTES = 16
_KEY_BYTES_MIN = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@attrs.frozen(eq=False)
class InvalidCursor(Refusal):
    """The cursor is not one we gave out for this listing."""

    problem: ClassVar = ProblemType(400, "invalid-cursor", "Invalid cursor")


@attrs.frozen
class Paging:
    """The query of a paginated listing; extend it with filters."""

    limit: Annotated[
        int,
        Number(minimum=1, maximum=LIMIT_MAX, description="How many entries at most.", example=50),
    ] = LIMIT_DEFAULT
    cursor: (
        Annotated[
            str,
            Text(
                pattern="^[A-Za-z0-9_-]+$",
                max_length=512,
                format="cursor",
                description="`next_cursor` of the page before.",
            ),
        ]
        | None
    ) = None


@attrs.frozen(kw_only=True)
class Page(Generic[View]):
    """One page of a listing."""

    data: list[View]
    has_more: Annotated[bool, Described(description="Whether entries follow this page.")]
    next_cursor: Annotated[
        str | None, Described(description="The `cursor` of the next page, null on the last.")
    ]


@attrs.frozen(kw_only=True)
class After:
    """The place behind one row of a listing ordered by time and id."""

    created_at: datetime
    id: str


@attrs.frozen(kw_only=True)
class AfterSequence:
    """The place behind one row of a listing ordered by a sequence number."""

    sequence: int


@attrs.frozen(kw_only=True)
class Cursors:
    """Seals and opens the cursors of one listing.

    Attributes:
        key: At least 32 secret bytes, from the settings.
        listing: The listing's name, which is part of what is signed.
    """

    key: bytes = attrs.field(repr=False)
    listing: str

    def __attrs_post_init__(self) -> None:
        if len(self.key) < _KEY_BYTES_MIN:
            raise ValueError(f"a cursor key has at least {_KEY_BYTES_MIN} bytes")

    def seal(self, position: After | AfterSequence) -> str:
        """Make the cursor of a position; times keep their microseconds."""
        if isinstance(position, After):
            micros = (position.created_at - _EPOCH) // _MICROSECOND
            payload = orjson.dumps([micros, position.id])
        else:
            payload = orjson.dumps([position.sequence])
        return base64.urlsafe_b64encode(self._tag(payload) + payload).rstrip(b"=").decode()

    def open(self, cursor: str) -> After:
        """Read a position in time and id.

        Raises:
            InvalidCursor: It was not sealed for this listing, or holds a sequence.
        """
        match self._payload(cursor):
            case [int(micros), str(identity)]:
                return After(created_at=_EPOCH + micros * _MICROSECOND, id=identity)
        raise InvalidCursor

    def open_sequence(self, cursor: str) -> AfterSequence:
        """Read a position in a sequence.

        Raises:
            InvalidCursor: It was not sealed for this listing, or holds a time.
        """
        match self._payload(cursor):
            case [int(sequence)]:
                return AfterSequence(sequence=sequence)
        raise InvalidCursor

    def page(
        self,
        rows: Sequence[Row],
        *,
        limit: int,
        view: Callable[[Row], View],
        position: Callable[[Row], After | AfterSequence],
    ) -> Page[View]:
        """Make a page of a query for `limit + 1` rows; the extra row tells that more follow."""
        shown = rows[:limit]
        has_more = len(rows) > limit
        return Page(
            data=[view(row) for row in shown],
            has_more=has_more,
            next_cursor=self.seal(position(shown[-1])) if has_more else None,
        )

    def _tag(self, payload: bytes) -> bytes:
        message = b"%s\0%s" % (self.listing.encode(), payload)
        return hmac.digest(self.key, message, "sha256")[:_TAG_BYTES]

    def _payload(self, cursor: str) -> Value:
        try:
            sealed = base64.b64decode(
                cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True
            )
        except (binascii.Error, ValueError) as error:
            raise InvalidCursor from error
        tag, payload = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(payload)):
            raise InvalidCursor
        return orjson.loads(payload)


def next_link(*, path: str, query_string: str, cursor: str) -> str:
    """The `Link` header (RFC 8288) to the next page of the listing at `path`."""
    kept = [(name, value) for name, value in parse_qsl(query_string) if name != "cursor"]
    return f'<{path}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'
