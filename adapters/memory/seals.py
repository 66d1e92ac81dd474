"""Seals and values of the books, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.turn import Turn
from domain.ledger.seals import SealedTransaction
from domain.ledger.values import RATE_AGE_MAX
from ports.unit_of_work import AlreadyExists

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from adapters.memory.store import Tables
    from domain.ledger.model import BookedTransaction, Transaction
    from domain.ledger.seals import Seal
    from domain.ledger.values import BookRate
    from domain.shared.money import AssetId, Money


@attrs.frozen
class InMemorySeals:
    """What proves that the past was not changed, and what it was worth."""

    _turn: Turn

    async def keep_rate(self, rate: BookRate) -> None:
        """Value what is booked from now on by this rate; earlier rates are kept beside it."""
        rates = (await self._turn.tables()).rates
        rates.put(rate.asset, (*(rates.get(rate.asset) or ()), rate))

    async def wrong_values(self) -> Sequence[str]:
        """Return the ids of transactions with a posting whose value is not what its rate gives."""
        tables = await self._turn.tables()
        return [
            booked.id
            for booked in tables.transactions
            if booked.values != _values(booked.transaction, tables.valued_by.get(booked.id) or {})
        ]

    async def unsealed(self, *, limit: int) -> Sequence[BookedTransaction]:
        """Return transactions without a seal, oldest first; nobody else is under way anyhow."""
        return list((await self._turn.tables()).unsealed)[:limit]

    async def last_seal(self) -> Seal | None:
        """Return the newest seal."""
        seals = (await self._turn.tables()).seals
        return seals.get(max((number for number, _ in seals.items()), default=0))

    async def add_seals(self, *seals: Seal) -> None:
        """Store seals, which continue the chain; a number and a transaction are sealed once."""
        tables = await self._turn.tables()
        for seal in seals:
            if seal.number in tables.seals or seal.transaction_id not in tables.unsealed:
                self._turn.refuse(AlreadyExists("seal", str(seal.number)))
            tables.seals.put(seal.number, seal)
            tables.unsealed.remove(seal.transaction_id)

    async def sealed(
        self, *, after: int, limit: int, prefix: str = ""
    ) -> Sequence[SealedTransaction]:
        """Return seals that follow a number, in order, with what they seal."""
        tables = await self._turn.tables()
        found: list[SealedTransaction] = []
        for number, seal in sorted(tables.seals.items()):
            if len(found) == limit:
                break
            booked = tables.transactions.get(seal.transaction_id)
            if number > after and booked is not None and _touches(booked, prefix):
                found.append(SealedTransaction(seal, booked))
        return found

    def _enter(self, tables: Tables, booked: BookedTransaction) -> None:
        """Store a transaction with its values; it waits for its seal."""
        rates = _rates_of(booked.transaction, tables, at=booked.booked_at)
        valued = attrs.evolve(booked, values=_values(booked.transaction, rates))
        tables.transactions.put(booked.id, valued)
        tables.unsealed.put(booked.id, valued)
        tables.valued_by.put(booked.id, rates)


def _touches(booked: BookedTransaction, prefix: str) -> bool:
    return any(posting.account.startswith(prefix) for posting in booked.transaction.postings)


def _rates_of(
    transaction: Transaction, tables: Tables, *, at: datetime
) -> dict[AssetId, BookRate]:
    """Return the newest rate of each asset, unless it is too old to value anything."""
    found: dict[AssetId, BookRate] = {}
    for asset in {posting.money.asset for posting in transaction.postings}:
        rates = tables.rates.get(asset)
        if rates and rates[-1].observed_at > at - RATE_AGE_MAX:
            found[asset] = rates[-1]
    return found


def _values(transaction: Transaction, rates: dict[AssetId, BookRate]) -> tuple[Money | None, ...]:
    return tuple(
        rates[posting.money.asset].value(posting.money) if posting.money.asset in rates else None
        for posting in transaction.postings
    )
