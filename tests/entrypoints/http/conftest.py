"""A toy resource behind the typed layer: notes in memory, with keys, pages and problems.

And the real one: ``gateway`` is the whole gateway behind its API, over each storage in turn.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import attrs
import pytest
from starlette.testclient import TestClient

from entrypoints.http.api import Api
from entrypoints.http.codec import render
from entrypoints.http.endpoint import Call, RawJson, delete, get, post
from entrypoints.http.pagination import After, Cursors, Page, Paging
from entrypoints.http.problems import ProblemTable, ProblemType, Unauthenticated
from entrypoints.http.schema import Described, Listing, Mapping, Number, Text
from tests.entrypoints.http.gateway import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

    from entrypoints.http.endpoint import Operation
    from tests.entrypoints.http.gateway import Gateway

NoteId = Annotated[str, Text(pattern="^note_[0-9]{1,9}$", description="A note.", example="note_1")]
CURSOR_KEY = bytes(range(32))
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@attrs.frozen
class NoteMissing(Exception):
    """No note has this id."""

    note_id: str
    secret: str = "not for the client"


@attrs.frozen
class KeyReused(Exception):
    """The idempotency key came with another request."""

    retry_after_seconds: int = 7


@attrs.frozen
class Amount:
    """A number of cents."""

    cents: Annotated[int, Number(minimum=1, maximum=10**12)]


@attrs.frozen
class CreateNote:
    """A note to make."""

    text: Annotated[str, Text(min_length=1, max_length=40, description="The words.", example="hi")]
    amount: Amount
    stars: Annotated[int, Number(minimum=0, maximum=5)] = 0
    pinned: bool = False
    color: Literal["red", "blue"] | None = None
    due: datetime | None = None
    tags: Annotated[list[str], Listing(max_items=3)] = attrs.field(factory=list)
    metadata: Annotated[
        dict[str, str],
        Mapping(max_entries=2, max_key=8, max_value=8, description="Yours.", example={"a": "b"}),
    ] = attrs.field(factory=dict)


@attrs.frozen
class NoteView:
    """A note."""

    id: NoteId
    text: str
    amount: Amount
    created_at: datetime
    due: Annotated[datetime | None, Described(description="When it is due.")]
    tags: list[str]
    metadata: dict[str, str]


@attrs.frozen
class ListNotes(Paging):
    """Which notes."""

    pinned: bool | None = None
    stars: list[int] = attrs.field(factory=list)


@attrs.define
class Notes:
    """Notes."""

    cursors: Cursors
    views: dict[str, NoteView] = attrs.field(factory=dict)
    answers: dict[str, tuple[str, bytes]] = attrs.field(factory=dict)

    @post(
        "/v1/notes",
        summary="Create a note",
        scope="notes:write",
        idempotency="required",
        problems=(KeyReused,),
    )
    async def create(self, call: Call[str], body: CreateNote) -> NoteView | RawJson:
        if stored := self.answers.get(call.required_key):
            fingerprint, answer = stored
            if fingerprint != call.fingerprint:
                raise KeyReused
            return RawJson(body=answer, status=201, replayed=True)
        number = len(self.views)
        view = NoteView(
            id=f"note_{number}",
            text=body.text,
            amount=body.amount,
            created_at=EPOCH + timedelta(microseconds=number),
            due=body.due,
            tags=body.tags,
            metadata=body.metadata,
        )
        self.views[view.id] = view
        self.answers[call.required_key] = (call.fingerprint, render(view))
        call.headers["Location"] = f"/v1/notes/{view.id}"
        return view

    @get("/v1/notes", summary="List notes", scope="notes:read")
    async def listed(self, query: ListNotes) -> Page[NoteView]:
        after = self.cursors.open(query.cursor) if query.cursor else After(created_at=EPOCH, id="")
        rows = [
            view
            for view in self.views.values()
            if (view.created_at, view.id) > (after.created_at, after.id)
        ]
        return self.cursors.page(
            rows[: query.limit + 1],
            limit=query.limit,
            view=lambda row: row,
            position=lambda row: After(created_at=row.created_at, id=row.id),
        )

    @get(
        "/v1/notes/{note_id}",
        summary="Read a note",
        scope="notes:read",
        problems=(NoteMissing,),
    )
    async def read(self, note_id: NoteId) -> NoteView:
        if note_id not in self.views:
            raise NoteMissing(note_id)
        return self.views[note_id]

    @delete(
        "/v1/notes/{note_id}",
        summary="Forget a note",
        scope="notes:write",
        problems=(NoteMissing,),
    )
    async def forget(self, note_id: NoteId) -> None:
        if self.views.pop(note_id, None) is None:
            raise NoteMissing(note_id)

    @get("/broken", summary="Fail", scope=None)
    async def broken(self) -> NoteView:
        raise RuntimeError("secret of ours")


async def authenticate(request: Request, _: Operation) -> str:
    """Know one key."""
    if request.headers.get("authorization") != "Bearer good":
        raise Unauthenticated
    return "merchant"


PROBLEMS = ProblemTable(
    {
        NoteMissing: ProblemType(404, "note-missing", "Note missing", fields=("note_id",)),
        KeyReused: ProblemType(
            409,
            "key-reused",
            "Idempotency key reused",
            headers={"Retry-After": "retry_after_seconds"},
            detail="Wait {retry_after_seconds} seconds.",
        ),
    }
)


@pytest.fixture
def cursors() -> Cursors:
    return Cursors(key=CURSOR_KEY, listing="notes")


@pytest.fixture
def api(cursors: Cursors) -> Api:
    return Api(
        title="Notes",
        version="1",
        authenticate=authenticate,
        problems=PROBLEMS,
        resources=[Notes(cursors=cursors)],
    )


@pytest.fixture
def client(api: Api) -> Iterator[TestClient]:
    with TestClient(api.application(), headers={"Authorization": "Bearer good"}) as client:
        yield client


@pytest.fixture(params=["memory", "postgres"])
async def gateway(request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    """Run the gateway over each storage in turn."""
    dsn = request.getfixturevalue("postgres_dsn") if request.param == "postgres" else None
    async with opened(dsn=dsn) as gateway:
        yield gateway


@pytest.fixture
async def memory_gateway() -> AsyncIterator[Gateway]:
    """Run the gateway in memory, for what does not depend on the storage."""
    async with opened() as gateway:
        yield gateway
