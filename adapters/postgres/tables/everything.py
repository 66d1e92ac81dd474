"""The catalogue with every table in it: importing this module is what fills it."""

from __future__ import annotations

from adapters.postgres.tables import (  # noqa: F401 (each import declares its tables)
    audit,
    chains,
    customers,
    escrows,
    events,
    idempotency,
    intents,
    jobs,
    ledger,
    merchants,
    parking,
    payout_destinations,
    people,
    sandbox,
    sealing,
    settlements,
    star_payments,
    suspense,
    sweeps,
    treasury,
    values,
    webhooks,
)
from adapters.postgres.tables.columns import METADATA

__all__ = ["METADATA"]
