"""Identifiers: a prefix that names the kind, and a time-ordered unique part."""

from __future__ import annotations

from typing import NewType

MerchantId = NewType("MerchantId", str)
IntentId = NewType("IntentId", str)
AttemptId = NewType("AttemptId", str)
QuoteId = NewType("QuoteId", str)
CustomerAddressId = NewType("CustomerAddressId", str)
DepositId = NewType("DepositId", str)
EscrowId = NewType("EscrowId", str)
TransactionId = NewType("TransactionId", str)
HoldId = NewType("HoldId", str)
SettlementId = NewType("SettlementId", str)
PayoutId = NewType("PayoutId", str)
SubmissionId = NewType("SubmissionId", str)
SweepId = NewType("SweepId", str)
TransferId = NewType("TransferId", str)
"""Of money between wallets of ours: ``domain.treasury``."""
SuspenseId = NewType("SuspenseId", str)
"""See ``domain.suspense.model.name_of``: it is the chain's own name of what came in."""
DecisionId = NewType("DecisionId", str)
EventId = NewType("EventId", str)
JobId = NewType("JobId", str)
EndpointId = NewType("EndpointId", str)
DeliveryId = NewType("DeliveryId", str)
KeyId = NewType("KeyId", str)
UserId = NewType("UserId", str)
SandboxOrderId = NewType("SandboxOrderId", str)
"""Of a test account: ``domain.sandbox``."""
DestinationChangeId = NewType("DestinationChangeId", str)

PREFIXES = {
    "merchant": "mer",
    "intent": "pi",
    "attempt": "pa",
    "quote": "qt",
    "customer_address": "ca",
    "deposit": "dep",
    "escrow": "esc",
    "transaction": "tx",
    "hold": "hold",
    "settlement": "set",
    "payout": "po",
    "submission": "sub",
    "sweep": "swp",
    "transfer": "tr",
    "decision": "dec",
    "event": "evt",
    "job": "job",
    "endpoint": "we",
    "delivery": "wd",
    "key": "key",
    "user": "usr",
    "test_order": "to",
    "destination_change": "pdc",
}
"""The prefix of each kind of identifier, as merchants see it."""
