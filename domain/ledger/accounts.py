"""The chart of accounts: who may hold money in the books, and under which rule."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NewType

import attrs

if TYPE_CHECKING:
    from domain.shared.ids import EscrowId, MerchantId
    from domain.shared.money import ChainId

Account = NewType("Account", str)
"""A colon-separated name from the chart, such as ``merchant:mer_1:available``."""

WORLD = Account("world")
PAYOUTS_IN_FLIGHT = Account("payouts:in_flight")
PLATFORM_FEES = Account("fees:platform")
NETWORK_FEES = Account("fees:network")


class Side(enum.Enum):
    """The side on which an account grows."""

    DEBIT = 1
    """Assets and expenses: what we hold and what we spent."""
    CREDIT = -1
    """Liabilities and income: what we owe and what we earned."""


@attrs.frozen
class NotInChart(ValueError):
    """The chart of accounts has no such account."""

    name: str


def custody(rail: str, wallet: str) -> Account:
    """Name the money we hold in a wallet of a rail (``evm``, ``ton``, ``stripe``)."""
    return Account(f"custody:{rail}:{wallet}")


def gas(chain: ChainId) -> Account:
    """Name a chain's gas tank: the native coin that pays for our transactions."""
    return Account(f"gas:{chain}")


def suspense(rail: str) -> Account:
    """Name the inbox of a rail for money that cannot be assigned yet."""
    return Account(f"suspense:{rail}")


def returning(rail: str) -> Account:
    """Name what of a rail's suspense is promised back to somebody, until it is signed."""
    return Account(f"suspense:{rail}:returning")


def treasury(rail: str) -> Account:
    """Name what a rail's cold wallet is due from the hot one: less than nothing until it came."""
    return Account(f"treasury:{rail}")


def moving(rail: str) -> Account:
    """Name what is promised to a rail's cold wallet, until it is signed."""
    return Account(f"treasury:{rail}:moving")


def escrow(escrow_id: EscrowId) -> Account:
    """Name the money that one escrow holds for its two parties."""
    return Account(f"escrow:{escrow_id}")


def pending(merchant_id: MerchantId) -> Account:
    """Name what a merchant has earned and cannot have yet, because it can be taken back."""
    return Account(f"merchant:{merchant_id}:pending")


def available(merchant_id: MerchantId) -> Account:
    """Name what a merchant can be paid out."""
    return Account(f"merchant:{merchant_id}:available")


def reserved(merchant_id: MerchantId) -> Account:
    """Name what a merchant's running payouts and refunds have set aside."""
    return Account(f"merchant:{merchant_id}:reserved")


_SIDES = {
    "world": Side.DEBIT,
    "custody": Side.DEBIT,
    "gas": Side.DEBIT,
    "merchant": Side.CREDIT,
    "customer": Side.CREDIT,
    "escrow": Side.CREDIT,
    "payouts": Side.CREDIT,
    "suspense": Side.CREDIT,
    "treasury": Side.CREDIT,
}
_CONSTRAINED = frozenset({"merchant", "customer", "escrow"})


def side(account: Account) -> Side:
    """Return the side on which an account grows.

    Raises:
        NotInChart: no account of the chart has that name.
    """
    if account == PLATFORM_FEES:
        return Side.CREDIT
    if account == NETWORK_FEES:
        return Side.DEBIT
    found = _SIDES.get(account.partition(":")[0])
    if found is None:
        raise NotInChart(account)
    return found


def is_constrained(account: Account) -> bool:
    """Tell whether an account is a promise to somebody and so may never fall below zero.

    Only these accounts have a balance row and are locked; the platform's own are appended to.
    """
    return account.partition(":")[0] in _CONSTRAINED


def is_reserve(account: Account) -> bool:
    """Tell whether an account is what a merchant's payouts have set aside."""
    return account.startswith("merchant:") and account.endswith(":reserved")


def is_available(account: Account) -> bool:
    """Tell whether an account is what a merchant can be paid out."""
    return account.startswith("merchant:") and account.endswith(":available")
