"""What psycopg raises, in the words of the ports. Nothing else translates it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from domain.ledger.accounts import Account
from domain.ledger.model import AlreadyReversed, InsufficientFunds
from domain.ledger.parking import AssetParked
from domain.shared.idempotency import KeyInFlight, KeyTaken
from domain.shared.ids import TransactionId
from domain.shared.money import AssetId
from ports.unit_of_work import AlreadyExists, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BALANCE_CONSTRAINT = "balance_not_negative"
"""The name under which the trigger on ``balance`` refuses (see the initial migration)."""

_KIND: Mapping[str, str] = {
    "payment_intent": "intent",
    "ledger_transaction": "transaction",
    "ledger_seal": "seal",
    "webhook_endpoint": "endpoint",
    "webhook_delivery": "delivery",
    "api_key": "key",
    "payout_destination_change": "destination_change",
    "person": "user",
}
"""What the rows of a table are called where that is not the table's own name."""

_KEY_VALUES = re.compile(r"=\((.*)\)")


def kind_of(table: str) -> str:
    """Return what the rows of a table are called, as in ``domain.shared.ids.PREFIXES``."""
    return _KIND.get(table, table)


def in_port_terms(error: psycopg.Error) -> Exception:
    """Return the error to raise in place of one of psycopg's; itself if it is a defect of ours.

    A deadlock, a lock or statement that took too long, and a lost connection are all
    ``StorageUnavailable``: the unit of work is undone, and the caller may try again.
    """
    if refusal := _BY_CONSTRAINT.get(error.diag.constraint_name or ""):
        return refusal(error)
    if isinstance(error, errors.UniqueViolation):
        return AlreadyExists(kind_of(error.diag.table_name or "row"), _values(error))
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return StorageUnavailable(str(error))
    return error


def _overdraft(error: psycopg.Error) -> Exception:
    account, _, asset = (error.diag.message_detail or "").partition(" ")
    return InsufficientFunds(Account(account), AssetId(asset))


def _already_reversed(error: psycopg.Error) -> Exception:
    return AlreadyReversed(TransactionId(_values(error)))


def _asset_parked(error: psycopg.Error) -> Exception:
    asset, _, reason = (error.diag.message_detail or "").partition(" ")
    return AssetParked(AssetId(asset), reason)


def _key_in_flight(error: psycopg.Error) -> Exception:
    return KeyInFlight(error.diag.message_detail or "")


def _key_taken(_: psycopg.Error) -> Exception:
    return KeyTaken()


_BY_CONSTRAINT: Mapping[str, Callable[[psycopg.Error], Exception]] = {
    BALANCE_CONSTRAINT: _overdraft,
    "ledger_transaction_reverses_key": _already_reversed,
    "asset_not_parked": _asset_parked,
    "idempotency_key_in_flight": _key_in_flight,
    "idempotency_key_pkey": _key_taken,
}
"""What the refusals of triggers and constraints mean that have a name for it."""


def _values(error: psycopg.Error) -> str:
    """Read the values out of a detail such as ``Key (id)=(pi_1) already exists.``.

    To a role that is not shown all rows of a table the server names none.
    """
    found = _KEY_VALUES.search(error.diag.message_detail or "")
    return found[1] if found else ""
