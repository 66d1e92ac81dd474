"""Use cases of statements: a merchant's books over a period, signed."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from domain.ledger.documents import document, signed_bytes
from domain.ledger.model import balance
from domain.shared.ids import MerchantId
from domain.shared.money import Assets
from ports.clock import Clock
from ports.signatures import DocumentSigner
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.documents import Period
    from domain.ledger.model import Balance
    from domain.ledger.seals import SealedTransaction
    from domain.shared.events import Json
    from ports.unit_of_work import UnitOfWork

SETTLED_AFTER = timedelta(seconds=10)
"""A transaction commits at most so long after the time under which it is booked."""

PAGE = 500
"""How many sealed transactions are read in one go."""

_LEAST = timedelta(microseconds=1)
"""The resolution of times in the books."""


@attrs.frozen
class PeriodNotOver(Exception):
    """A statement is of a period that is over and not empty, so that nothing is added to it."""

    since: datetime
    until: datetime


@attrs.frozen
class NotSealedYet(Exception):
    """Something of the period waits for its seal. Try again in a few seconds."""

    merchant_id: MerchantId


@attrs.frozen
class Statements:
    """Issues statements that anybody can verify without us."""

    begin: Begin
    clock: Clock
    assets: Assets
    signer: DocumentSigner

    async def issue(self, *, owner: MerchantId, period: Period) -> dict[str, Json]:
        """Return a merchant's statement of what was booked in a period, signed.

        Raises:
            NotFound: there is no such merchant.
            PeriodNotOver: the period is empty, or not over for long enough.
            NotSealedYet: a transaction of the period has no seal.
        """
        at = self.clock.now()
        if not period.since < period.until <= at - SETTLED_AFTER:
            raise PeriodNotOver(period.since, period.until)
        prefix = f"merchant:{owner}:"
        async with self.begin() as work:
            await work.merchants.get(owner)
            head = await work.ledger.last_seal()
            opening = await work.ledger.balances(prefix=prefix, booked_by=period.since - _LEAST)
            closing = await work.ledger.balances(prefix=prefix, booked_by=period.until - _LEAST)
            entries = await self._entries(work, prefix, period)
        if not _add_up(opening, entries, closing, prefix):
            raise NotSealedYet(owner)
        statement = document(
            merchant_id=owner,
            period=period,
            opening=opening,
            closing=closing,
            entries=entries,
            head=head,
            assets=self.assets,
            public_key=self.signer.public_key,
            at=at,
        )
        return {**statement, "signature": self.signer.sign(signed_bytes(statement))}

    async def _entries(
        self, work: UnitOfWork, prefix: str, period: Period
    ) -> list[SealedTransaction]:
        """Return the merchant's sealed transactions of a period; their order is the seals'."""
        found: list[SealedTransaction] = []
        number = 0
        while True:
            page = await work.ledger.sealed(after=number, limit=PAGE, prefix=prefix)
            found += [each for each in page if each.booked.booked_at in period]
            if len(page) < PAGE:
                return found
            number = page[-1].seal.number


def _add_up(
    opening: Sequence[Balance],
    entries: Sequence[SealedTransaction],
    closing: Sequence[Balance],
    prefix: str,
) -> bool:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for it in opening:
        sums[it.account, it.money.asset] += it.money.amount
    for entry in entries:
        for posting in entry.booked.transaction.postings:
            if posting.account.startswith(prefix):
                grown = balance(posting.account, posting.money).money
                sums[posting.account, grown.asset] += grown.amount
    for it in closing:
        sums[it.account, it.money.asset] -= it.money.amount
    return not any(sums.values())
