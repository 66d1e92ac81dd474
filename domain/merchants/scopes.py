"""Scopes: what a key, or a person, may do with which kind of object.

A scope to write does not bring the one to read: what is written is told in the answer anyway, and
each key says in full what it may do.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class Scope(enum.StrEnum):
    """A verb on a kind of object."""

    PAYMENT_INTENTS_READ = "payment_intents:read"
    PAYMENT_INTENTS_WRITE = "payment_intents:write"
    """Quote, create, cancel, accept, release."""
    REFUNDS_WRITE = "refunds:write"
    """Give money back to payers."""
    CUSTOMERS_READ = "customers:read"
    """Customers' own addresses."""
    CUSTOMERS_WRITE = "customers:write"
    """Give a customer an address."""
    DEPOSITS_READ = "deposits:read"
    """What was paid to customers' addresses."""
    BALANCES_READ = "balances:read"
    PAYOUTS_READ = "payouts:read"
    """Payouts, and the settlements they pay."""
    PAYOUT_DESTINATIONS_READ = "payout_destinations:read"
    PAYOUT_DESTINATIONS_WRITE = "payout_destinations:write"
    """Ask for another destination, and take back what was asked for."""
    PAYOUT_DESTINATIONS_APPROVE = "payout_destinations:approve"
    """Allow or refuse what somebody else has asked for."""
    EVENTS_READ = "events:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    AUDIT_READ = "audit:read"
    """Who did what with the account."""
    TEST_HELPERS_WRITE = "test_helpers:write"
    """Order, on a test account, what is hard to wait for, and look what came of it."""
    EVERYTHING = "*"
    """All there are, and all that will be."""


def covers(held: Collection[str], wanted: str) -> bool:
    """Tell whether scopes that are held allow what one that is wanted stands for."""
    return wanted in held or Scope.EVERYTHING in held
