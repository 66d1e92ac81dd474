"""Parked assets and checkpoints in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, written
from adapters.postgres.tables.parking import CHECKPOINT, PARKED_ASSET
from domain.ledger.parking import ParkedAsset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.accounts import Account
    from domain.shared.money import AssetId

_C = PARKED_ASSET.c
_of = _C.asset == bindparam("asset")
_PARK = compiled(
    insert(PARKED_ASSET)
    .values({name: bindparam(name) for name in written(PARKED_ASSET)})
    .on_conflict_do_nothing()
    .returning(_C.asset)
)
_RESUME = compiled(delete(PARKED_ASSET).where(_of).returning(_C.asset))
_OF = compiled(select(PARKED_ASSET).where(_of))
_ALL = compiled(select(PARKED_ASSET).order_by(_C.asset))

_noting = insert(CHECKPOINT)
_NOTE = compiled(
    _noting.on_conflict_do_update(
        index_elements=[CHECKPOINT.c.account, CHECKPOINT.c.asset],
        set_={"block": func.greatest(CHECKPOINT.c.block, _noting.excluded.block)},
    ),
    columns=written(CHECKPOINT),
)
_AGREED = compiled(
    select(CHECKPOINT.c.block).where(
        CHECKPOINT.c.account == bindparam("account"), CHECKPOINT.c.asset == bindparam("asset")
    )
)


@attrs.frozen
class PostgresParking:
    """See ``ports.parking.Parking``."""

    _session: Session

    async def park(self, parked: ParkedAsset) -> bool:
        """Park an asset; return False if it was parked already, and keep the first reason."""
        return bool(await self._session.rows(_PARK, **attrs.asdict(parked)))

    async def resume(self, asset: AssetId) -> bool:
        """Let an asset move again; return False if it was not parked."""
        return bool(await self._session.rows(_RESUME, asset=asset))

    async def of(self, asset: AssetId) -> ParkedAsset | None:
        """Return why an asset is parked, or None where it moves."""
        row = await self._session.row(_OF, asset=asset)
        return ParkedAsset(**row) if row else None

    async def all(self) -> Sequence[ParkedAsset]:
        """Return every parked asset, by its id."""
        return [ParkedAsset(**row) for row in await self._session.rows(_ALL)]

    async def checkpoint(self, account: Account, asset: AssetId, *, block: int) -> None:
        """Note that books and chain agreed after a block; never a lower one than before."""
        parameters = {"account": account, "asset": asset, "block": block}
        await self._session.write(_NOTE, parameters, ("checkpoint", account, asset))

    async def last_agreed(self, account: Account, asset: AssetId) -> int | None:
        """Return the newest block after which books and chain agreed, or None."""
        row = await self._session.row(_AGREED, account=account, asset=asset)
        return row["block"] if row else None
