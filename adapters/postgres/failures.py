"""What psycopg raises, in the words of the ports. Nothing else translates it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from domain.ledger.accounts import Account
from domain.ledger.model import InsufficientFunds
from domain.shared.money import AssetId
from ports.unit_of_work import AlreadyExists, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

BALANCE_CONSTRAINT = "balance_not_negative"
"""The name under which the trigger on ``balance`` refuses (see the initial migration)."""

_KIND: Mapping[str, str] = {
    "payment_intent": "intent",
    "ledger_transaction": "transaction",
    "webhook_endpoint": "endpoint",
    "webhook_delivery": "delivery",
    "api_key": "key",
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
    if isinstance(error, errors.UniqueViolation):
        return AlreadyExists(kind_of(error.diag.table_name or "row"), _values(error))
    if isinstance(error, errors.CheckViolation):
        if error.diag.constraint_name == BALANCE_CONSTRAINT:
            account, _, asset = (error.diag.message_detail or "").partition(" ")
            return InsufficientFunds(Account(account), AssetId(asset))
        return error
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return StorageUnavailable(str(error))
    return error


def _values(error: errors.UniqueViolation) -> str:
    """Read the values out of a detail such as ``Key (id)=(pi_1) already exists.``."""
    found = _KEY_VALUES.search(error.diag.message_detail or "")
    return found[1] if found else ""
