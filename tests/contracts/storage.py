"""What the storage suites share: their one fixture, and how a test brings things into storage.

An adapter's tests derive each suite and override ``begin``::

    class Stored:
        @pytest.fixture
        def begin(self, database: Database) -> Begin:
            return database.begin

    class TestIntents(Stored, IntentsContract): ...

The storage is clean for each test. Two units of work may be open at once. What one of them
locks, the other waits for; beyond that a test takes nothing for granted, so a storage that runs
units of work one after the other passes as well as one that runs them side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.chains.submissions import Submission
from domain.escrow.model import Escrow
from domain.intents.model import PaymentIntent
from domain.intents.quotes import Quote
from domain.ledger.holds import Hold
from domain.ledger.model import Transaction
from domain.merchants.model import ApiKey, Merchant
from domain.settlements.model import Settlement
from domain.settlements.payouts import Payout
from domain.shared.events import Event
from domain.sweeps.model import Sweep
from domain.webhooks.endpoint import Endpoint
from domain.webhooks.model import Delivery
from tests.builders import OTHER_MERCHANT, a_merchant, a_quote

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from ports.unit_of_work import Begin, UnitOfWork


class StorageContract:
    """A suite over a clean store."""

    @pytest.fixture
    def begin(self) -> Begin:
        raise NotImplementedError


_ADD: dict[type, Callable[[UnitOfWork, Any], Awaitable[None]]] = {
    Merchant: lambda work, it: work.merchants.add(it),
    ApiKey: lambda work, it: work.merchants.add_key(it),
    Quote: lambda work, it: work.intents.add_quote(it),
    PaymentIntent: lambda work, it: work.intents.add(it),
    Escrow: lambda work, it: work.escrows.add(it),
    Transaction: lambda work, it: work.ledger.book(it),
    Hold: lambda work, it: work.ledger.add_hold(it),
    Settlement: lambda work, it: work.settlements.add(it),
    Payout: lambda work, it: work.settlements.add_payout(it),
    Submission: lambda work, it: work.chains.add_submission(it),
    Sweep: lambda work, it: work.sweeps.add(it),
    Endpoint: lambda work, it: work.webhooks.add_endpoint(it),
    Delivery: lambda work, it: work.webhooks.add_delivery(it),
    Event: lambda work, it: work.events.record(it),
}


async def given(begin: Begin, *objects: object) -> None:
    """Store objects, in the order given, in one unit of work."""
    async with begin() as work:
        for it in objects:
            await _ADD[type(it)](work, it)
        await work.commit()


async def given_merchants(begin: Begin) -> None:
    """Store two merchants, and a quote of the first for intents to be made from."""
    await given(begin, a_merchant(), a_merchant(OTHER_MERCHANT), a_quote())
