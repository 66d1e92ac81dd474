"""Reconciliation: Telegram's own list of a bot's transactions, held against the books.

The list is in the order of time and only grows. It is read on from where the last run came to,
so that an update that was lost is found here and credited, whoever lost it. Only what a run has
read without a gap says that something is *not* there: that an intent was not paid in time, or
that a charge of ours is missing in the list.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.intents import events
from domain.intents.model import IntentTransitionRefused
from domain.shared.money import Assets
from domain.stars.crediting import StarCrediting
from domain.stars.model import (
    CHECKOUT_GRACE,
    STARS_RAIL,
    Charge,
    ChargeId,
    Reading,
    Reversal,
    Unexplained,
    moment_of,
)
from domain.stars.refunding import StarRefunding
from ports.clock import Clock
from ports.ids import Ids
from ports.stars import LINES_MAX, StarsBot
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.stars.model import Listed

PAGES_MAX: Final = 50
"""How many pages of the list one run reads."""

LATE_MAX: Final = timedelta(minutes=10)
"""How long a line may take to appear in the list before it counts as missing."""

MISSING_MAX: Final = 100
"""How many missing charges one run reports, and how many intents it ends."""


@attrs.frozen
class OutOfOrder(Exception):
    """The list is not in the order of time, so that nobody can say how far it was read."""

    lines: int
    """How many lines were read before."""


@attrs.frozen(kw_only=True)
class StarsReport:
    """What one run has found."""

    lines: int
    """How many lines were read."""
    complete: bool
    """Whether the list was read to its end."""
    found: tuple[ChargeId, ...] = ()
    """Charges of which no update had come; they are credited now."""
    reversed: tuple[ChargeId, ...] = ()
    """Charges that went back to their payers."""
    missing: tuple[ChargeId, ...] = ()
    """Charges in our books that the list does not have, for a person to look at."""
    unexplained: tuple[Unexplained, ...] = ()
    """Movements that are no payments: the books know nothing of them."""
    expired: int = 0
    """How many intents were ended, of which the list shows that nobody paid in time."""


@attrs.define
class _Findings:
    """What a run has come upon so far."""

    lines: int = 0
    found: list[ChargeId] = attrs.field(factory=list)
    reversed: list[ChargeId] = attrs.field(factory=list)
    unexplained: list[Unexplained] = attrs.field(factory=list)


@attrs.frozen
class StarsReconciliation:
    """Reads the list on, and puts right or reports what does not agree with it."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    bot: StarsBot
    pages_max: int = PAGES_MAX

    async def reconcile(self) -> StarsReport:
        """Read the list to its end, or as far as one run goes, and act on each line once.

        A line may be met again after a crash: it changes nothing then.

        Raises:
            OutOfOrder: the list is not in the order of time; nothing of that page was taken.
            StarsUnavailable: Telegram did not answer; what was read until then stands.
        """
        started = self.clock.now()
        async with self.begin() as work:
            offset = (await work.star_payments.lock_reading()).lines
        findings, last, complete = _Findings(), None, False
        for _ in range(self.pages_max):
            page = await self.bot.transactions(offset=offset, limit=LINES_MAX)
            last = _last_of(page, after=last, lines=offset)
            for line in page:
                await self._take(line, findings)
            offset += len(page)
            await self._note(page, read=offset)
            if len(page) < LINES_MAX:
                complete = True
                break
        covered = started - LATE_MAX
        return StarsReport(
            lines=findings.lines,
            complete=complete,
            found=tuple(findings.found),
            reversed=tuple(findings.reversed),
            missing=await self._missing(paid_before=covered) if complete else (),
            unexplained=tuple(findings.unexplained),
            expired=await self._expire(at=covered) if complete else 0,
        )

    async def _take(self, line: Listed, findings: _Findings) -> None:
        findings.lines += 1
        if isinstance(line, Charge):
            crediting = StarCrediting(self.begin, self.clock, self.ids, self.assets)
            if await crediting.credit(line) is not None:
                findings.found.append(line.id)
        elif isinstance(line, Reversal):
            refunding = StarRefunding(self.begin, self.clock, self.assets, self.bot)
            if await refunding.reversed_outside(line.charge_id) is not None:
                findings.reversed.append(line.charge_id)
        else:
            findings.unexplained.append(line)

    async def _note(self, page: Sequence[Listed], *, read: int) -> None:
        """Keep which charges the list has, and how far it was read."""
        async with self.begin() as work:
            reading = await work.star_payments.lock_reading()
            for line in page:
                if isinstance(line, Charge):
                    payment = await work.star_payments.lock(line.id)
                    if not payment.listed:
                        await work.star_payments.save(attrs.evolve(payment, listed=True))
            await work.star_payments.save_reading(Reading(max(reading.lines, read)))
            await work.commit()

    async def _missing(self, *, paid_before: datetime) -> tuple[ChargeId, ...]:
        async with self.begin() as work:
            unlisted = await work.star_payments.unlisted(
                paid_before=paid_before, limit=MISSING_MAX
            )
        return tuple(unlisted)

    async def _expire(self, *, at: datetime) -> int:
        """End intents that nobody has paid in time, by all that the list shows up to a moment.

        A payment that was let through just in time is in that list as well.
        """
        covered = at - CHECKOUT_GRACE
        async with self.begin() as work:
            overdue = await work.intents.overdue(chain=STARS_RAIL, at=covered, limit=MISSING_MAX)
        ended = 0
        for intent_id in overdue:
            async with self.begin() as work:
                intent = await work.intents.lock(intent_id, owner=None)
                try:
                    expired = intent.expire(at=covered)
                except IntentTransitionRefused:
                    continue
                await work.intents.save(expired)
                told = events.changed(intent, expired, at=self.clock.now(), assets=self.assets)
                await work.events.record(*told)
                await work.commit()
            ended += 1
        return ended


def _last_of(page: Sequence[Listed], *, after: datetime | None, lines: int) -> datetime | None:
    """Return when the last line of a page took effect.

    Raises:
        OutOfOrder: a line is older than the one before it.
    """
    for line in page:
        moment = moment_of(line)
        if after is not None and moment < after:
            raise OutOfOrder(lines)
        after = moment
    return after
