"""Pages of a merchant's payouts: which statement gives one, and with which parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, any_, bindparam, or_

from adapters.postgres.lists import asked, pages, pages_of_each
from adapters.postgres.tables.columns import NAME
from adapters.postgres.tables.settlements import PAYOUT
from domain.settlements.listing import ALL
from domain.settlements.payouts import PayoutState

if TYPE_CHECKING:
    from adapters.postgres.statements import Statement
    from domain.settlements.listing import Place, Wanted
    from domain.shared.ids import MerchantId

_C = PAYOUT.c
_OPEN = pages(PAYOUT)
_STANDING = pages(PAYOUT, _C.state == bindparam("state"))
_OF_ASSETS = pages_of_each(PAYOUT, assets=_C.asset, states=_C.state)
_assets = bindparam("assets", type_=ARRAY(NAME))
_OF_SETTLEMENT = pages(
    PAYOUT,
    # A settlement has one payout, and another for each that was refused.
    _C.settlement_id == bindparam("settlement"),
    _C.state == any_(bindparam("states", type_=ARRAY(NAME))),
    or_(_assets.is_(None), _C.asset == any_(_assets)),
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
    assets = None if of.assets is None else [*of.assets]
    states = [of.state] if of.state else [*PayoutState]
    if of.settlement is not None:
        parameters |= {"settlement": of.settlement, "assets": assets, "states": states}
        return _OF_SETTLEMENT.holding(limit), parameters
    if assets is not None:
        return _OF_ASSETS.holding(limit), {**parameters, "assets": assets, "states": states}
    if of.state is not None:
        return _STANDING.holding(limit), {**parameters, "state": of.state}
    return _OPEN.holding(limit), parameters
