"""Identifiers: a prefix that names the kind, and a time-ordered unique part."""

from __future__ import annotations

from typing import NewType

MerchantId = NewType("MerchantId", str)
IntentId = NewType("IntentId", str)
AttemptId = NewType("AttemptId", str)
QuoteId = NewType("QuoteId", str)
EscrowId = NewType("EscrowId", str)
TransactionId = NewType("TransactionId", str)
HoldId = NewType("HoldId", str)
SettlementId = NewType("SettlementId", str)
PayoutId = NewType("PayoutId", str)
SubmissionId = NewType("SubmissionId", str)
SweepId = NewType("SweepId", str)
EventId = NewType("EventId", str)
JobId = NewType("JobId", str)
EndpointId = NewType("EndpointId", str)
DeliveryId = NewType("DeliveryId", str)
KeyId = NewType("KeyId", str)

PREFIXES = {
    "merchant": "mer",
    "intent": "pi",
    "attempt": "pa",
    "quote": "qt",
    "escrow": "esc",
    "transaction": "tx",
    "hold": "hold",
    "settlement": "set",
    "payout": "po",
    "submission": "sub",
    "sweep": "swp",
    "event": "evt",
    "job": "job",
    "endpoint": "we",
    "delivery": "wd",
    "key": "key",
}
"""The prefix of each kind of identifier, as merchants see it."""
