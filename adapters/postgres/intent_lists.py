"""Pages of a merchant's intents: which statement gives one, and with which parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam

from adapters.postgres.lists import asked, pages, pages_of_each
from adapters.postgres.tables.intents import PAYMENT_INTENT
from domain.intents.listing import ALL
from domain.intents.model import IntentStatus, Method

if TYPE_CHECKING:
    from adapters.postgres.statements import Statement
    from domain.intents.listing import Place, Wanted
    from domain.shared.ids import MerchantId

_C = PAYMENT_INTENT.c
_OPEN = pages(PAYMENT_INTENT)
_STANDING = pages_of_each(PAYMENT_INTENT, methods=_C.method, statuses=_C.status)
_OF_ASSET = pages_of_each(
    PAYMENT_INTENT,
    _C.due_asset == bindparam("asset"),
    methods=_C.method,
    statuses=_C.status,
)


def listing(
    *, owner: MerchantId, before: Place | None, limit: int, wanted: Wanted | None
) -> tuple[Statement, dict[str, Any]]:
    """Return the statement of a page, which may give more rows than asked for, and parameters."""
    of = wanted or ALL
    parameters = asked(
        owner=owner,
        before=None if before is None else (before.created_at, before.id),
        created_after=of.created_after,
        created_before=of.created_before,
    )
    if of.status is None and of.method is None and of.asset is None:
        return _OPEN.holding(limit), parameters
    parameters["statuses"] = [of.status] if of.status else [*IntentStatus]
    parameters["methods"] = [of.method] if of.method else [*Method]
    if of.asset is None:
        return _STANDING.holding(limit), parameters
    return _OF_ASSET.holding(limit), {**parameters, "asset": of.asset}
