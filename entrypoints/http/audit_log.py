"""The audit log: merchants read what was done with their account, operators read all."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import attrs

from domain.audit.model import Outcome, Place, Wanted
from domain.audit.service import AuditService
from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.operators.model import OperatorScope
from domain.shared.actors import ActorKind
from domain.shared.ids import MerchantId
from entrypoints.http.endpoint import Call, get
from entrypoints.http.pagination import After, Cursors, InvalidCursor, Page, Paging
from entrypoints.http.schema import Described, Text

if TYPE_CHECKING:
    from domain.audit.model import RecordedEntry

Word = Annotated[str, Text(min_length=1, max_length=200)]


@attrs.frozen(kw_only=True)
class AuditPaging(Paging):
    """Which entries; what is left out leaves it open."""

    actor: (
        Annotated[Word, Described(description="The id of a key, or an operator's name.")] | None
    ) = None
    action: (
        Annotated[Word, Described(description="Verb and path: `POST /v1/payment_intents`.")] | None
    ) = None
    object: Annotated[Word, Described(description="The id of what was written.")] | None = None
    since: Annotated[datetime, Described(description="At this time or later.")] | None = None
    until: Annotated[datetime, Described(description="Earlier than this.")] | None = None

    def wanted(self, *, merchant_id: MerchantId | None) -> Wanted:
        """Return which entries these are, of one account or of all."""
        return Wanted(
            merchant_id=merchant_id,
            actor_id=self.actor,
            action=self.action,
            object=self.object,
            since=self.since,
            until=self.until,
        )


@attrs.frozen(kw_only=True)
class OpsAuditPaging(AuditPaging):
    """Which entries of all accounts; what is left out leaves it open."""

    merchant: Word | None = None


@attrs.frozen(kw_only=True)
class AuditActorView:
    """Who acted."""

    kind: ActorKind
    id: Annotated[str, Described(description="Of the API key, or the operator's name.")]


@attrs.frozen(kw_only=True)
class AuditEntryView:
    """One deed."""

    id: Annotated[str, Described(description="Its place in the log.")]
    object: Literal["audit_entry"]
    at: datetime
    actor: Annotated[
        AuditActorView | None, Described(description="Null where nobody was recognised.")
    ]
    merchant: str | None
    action: str
    objects: Annotated[list[str], Described(description="What was written or asked for.")]
    outcome: Outcome
    status: Annotated[
        int | None, Described(description="Of the answer; null where it was not known yet.")
    ]
    problem: Annotated[str | None, Described(description="The last part of the problem's type.")]
    times: Annotated[
        int, Described(description="How often the same was refused in the same few seconds.")
    ]
    request_id: str | None
    address: Annotated[str | None, Described(description="The network address that asked.")]
    detail: str | None


@attrs.frozen(kw_only=True)
class AuditLog:
    """Who did what with an account."""

    service: AuditService
    cursors: Cursors

    @get("/v1/audit_log", summary="List what was done, newest first", scope=Scope.AUDIT_READ)
    async def list(self, call: Call[Merchant], query: AuditPaging) -> Page[AuditEntryView]:
        """Every change, and every change that was refused, with who asked for it.

        A change is recorded in the transaction that makes it. What was refused follows within
        seconds.
        """
        wanted = query.wanted(merchant_id=call.principal.id)
        return await _page(self.service, self.cursors, query, wanted)


@attrs.frozen(kw_only=True)
class OpsAuditLog:
    """Who did what."""

    service: AuditService
    cursors: Cursors

    @get(
        "/v1/ops/audit_log",
        summary="List what was done by anybody, newest first",
        scope=OperatorScope.READ,
    )
    async def list(self, query: OpsAuditPaging) -> Page[AuditEntryView]:
        """All accounts' entries, operators' own, and of callers whom nobody knew."""
        merchant = None if query.merchant is None else MerchantId(query.merchant)
        return await _page(self.service, self.cursors, query, query.wanted(merchant_id=merchant))


async def _page(
    service: AuditService, cursors: Cursors, query: AuditPaging, wanted: Wanted
) -> Page[AuditEntryView]:
    before = _place(cursors.open(query.cursor)) if query.cursor else None
    return cursors.page(
        await service.page(wanted, before=before, limit=query.limit + 1),
        limit=query.limit,
        view=_view,
        position=lambda it: After(created_at=it.entry.at, id=str(it.sequence)),
    )


def _place(after: After) -> Place:
    try:
        return Place(after.created_at, int(after.id))
    except ValueError as error:
        raise InvalidCursor from error


def _view(recorded: RecordedEntry) -> AuditEntryView:
    entry, actor = recorded.entry, None
    if entry.actor is not None and entry.actor_id is not None:
        actor = AuditActorView(kind=entry.actor, id=entry.actor_id)
    return AuditEntryView(
        id=str(recorded.sequence),
        object="audit_entry",
        at=entry.at,
        actor=actor,
        merchant=entry.merchant_id,
        action=entry.action,
        objects=[*entry.objects],
        outcome=entry.outcome,
        status=entry.status,
        problem=entry.problem,
        times=entry.times,
        request_id=entry.request_id,
        address=entry.address,
        detail=entry.detail,
    )
