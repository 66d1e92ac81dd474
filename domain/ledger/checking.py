"""The books against themselves: sums, balances, values and the chain of seals."""

from __future__ import annotations

import enum
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from domain.ledger.accounts import is_constrained, side
from domain.ledger.seals import link
from domain.shared.chaining import GENESIS
from domain.shared.rendering import render_time
from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from domain.ledger.accounts import Account
    from domain.ledger.model import Balance
    from domain.ledger.seals import SealedTransaction
    from domain.shared.money import AssetId

UNSEALED_MAX = timedelta(minutes=10)
"""How long a transaction may be without a seal: what has none can still be changed unseen."""

PAGE = 500
"""How many sealed transactions are held in memory at a time."""

UNKNOWN = b""
"""The hash behind what is missing: the chain is taken up again with the next seal."""


class Wrong(enum.StrEnum):
    """What can be wrong with the books."""

    UNBALANCED = "transaction does not sum to zero"
    EXCESS = "all accounts together do not sum to zero"
    OVERDRAWN = "constrained account below zero"
    KEPT_DIFFERS = "kept balance differs from postings"
    NOT_KEPT = "constrained account without a balance row"
    VALUE = "value is not what its rate gives"
    SEAL_MISSING = "seal or its transaction is missing"
    SEAL_BROKEN = "transaction is not what was sealed"
    UNSEALED = "transaction without a seal"
    UNREADABLE = "transaction that nobody could have booked"


@attrs.frozen
class Finding:
    """Something in the books that cannot be right."""

    what: Wrong
    where: str


@attrs.frozen
class Checking:
    """Recomputes all that the books keep. Nothing found is what is expected."""

    begin: Begin
    clock: Clock

    async def check(self) -> Sequence[Finding]:
        """Check everything; seals are read page by page, whatever their number."""
        return [
            *await self._sums(),
            *[finding async for finding in self._seals()],
            *await self._waiting(),
        ]

    async def _sums(self) -> list[Finding]:
        async with self.begin() as work:
            unbalanced = await work.ledger.unbalanced()
            wrong_values = await work.ledger.wrong_values()
            balances = await work.ledger.balances(prefix="")
            kept = await work.ledger.kept_balances()
        return [
            *(Finding(Wrong.UNBALANCED, id) for id in unbalanced),
            *_excess(balances),
            *_overdrawn(balances),
            *_not_kept(balances, kept),
            *await self._kept_wrongly(_suspects(balances, kept)),
            *(Finding(Wrong.VALUE, id) for id in wrong_values),
        ]

    async def _kept_wrongly(self, suspects: Sequence[Balance]) -> list[Finding]:
        """Look again under the row's lock: what was booked between two reads is no finding."""
        findings = []
        for suspect in suspects:
            account, asset = suspect.account, suspect.money.asset
            async with self.begin() as work:
                kept = await work.ledger.lock_balance(account, asset)
                balances = await work.ledger.balances(prefix=account)
            if kept.amount != _of(balances, account, asset):
                findings.append(Finding(Wrong.KEPT_DIFFERS, f"{account} {asset}: {kept.amount}"))
        return findings

    async def _seals(self) -> AsyncIterator[Finding]:
        """Follow the chain of hashes from the first seal to the newest."""
        async with self.begin() as work:
            last = await work.ledger.last_seal()
        number, hash = 0, GENESIS
        while last is not None and number < last.number:
            page = await self._page(after=number)
            if page is None:
                number += 1
                hash = UNKNOWN
                yield Finding(Wrong.UNREADABLE, f"seal {number} or the next there is")
                continue
            for each in page:
                seal = each.seal
                if seal.number != number + 1:
                    yield Finding(Wrong.SEAL_MISSING, _numbers(number + 1, seal.number - 1))
                elif hash != UNKNOWN and link(hash, each.booked) != seal.hash:
                    yield Finding(Wrong.SEAL_BROKEN, f"seal {seal.number}, {seal.transaction_id}")
                number, hash = seal.number, seal.hash
            if not page:
                yield Finding(Wrong.SEAL_MISSING, _numbers(number + 1, last.number))
                return

    async def _page(self, *, after: int) -> Sequence[SealedTransaction] | None:
        """Return what follows a seal; None where the next cannot even be read."""
        for limit in (PAGE, 1):
            with suppress(ValueError):  # Of what was changed by hand, no transaction can be made.
                async with self.begin() as work:
                    return await work.ledger.sealed(after=after, limit=limit)
        return None

    async def _waiting(self) -> list[Finding]:
        async with self.begin() as work:
            try:
                waiting = await work.ledger.unsealed(limit=PAGE)
            except ValueError as error:
                return [Finding(Wrong.UNREADABLE, f"one of those without a seal: {error}")]
        before = self.clock.now() - UNSEALED_MAX
        return [
            Finding(Wrong.UNSEALED, f"{booked.id}, booked at {render_time(booked.booked_at)}")
            for booked in waiting
            if booked.booked_at < before
        ]


def _excess(balances: Sequence[Balance]) -> list[Finding]:
    sums: dict[AssetId, int] = defaultdict(int)
    for balance in balances:
        sums[balance.money.asset] += side(balance.account).value * balance.money.amount
    return [
        Finding(Wrong.EXCESS, f"{asset}: {excess}") for asset, excess in sums.items() if excess
    ]


def _overdrawn(balances: Sequence[Balance]) -> list[Finding]:
    return [
        Finding(Wrong.OVERDRAWN, f"{balance.account} {balance.money.asset}")
        for balance in balances
        if is_constrained(balance.account) and balance.money.amount < 0
    ]


def _suspects(balances: Sequence[Balance], kept: Sequence[Balance]) -> list[Balance]:
    summed = {(it.account, it.money.asset): it.money.amount for it in balances}
    return [it for it in kept if summed.get((it.account, it.money.asset), 0) != it.money.amount]


def _not_kept(balances: Sequence[Balance], kept: Sequence[Balance]) -> list[Finding]:
    rows = {(it.account, it.money.asset) for it in kept}
    return [
        Finding(Wrong.NOT_KEPT, f"{it.account} {it.money.asset}")
        for it in balances
        if is_constrained(it.account) and (it.account, it.money.asset) not in rows
    ]


def _of(balances: Sequence[Balance], account: Account, asset: AssetId) -> int:
    return sum(
        it.money.amount for it in balances if (it.account, it.money.asset) == (account, asset)
    )


def _numbers(first: int, last: int) -> str:
    return f"seal {first}" if first == last else f"seals {first} to {last}"
