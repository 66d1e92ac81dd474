"""What the API shows: the document's schemas of what ``domain/*/view.py`` renders.

Responses are rendered by the domain, so that an object looks the same in an answer and in an
event; a test holds these classes and those renderings together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import attrs

from domain.customers.model import DepositStatus
from domain.escrow.claims import Side
from domain.escrow.model import EscrowAction, EscrowState
from domain.intents.model import IntentStatus, Method, PaymentException
from domain.settlements.model import SettlementState
from domain.settlements.payouts import PayoutState
from entrypoints.http.destination_views import PayoutDestinationChangeView
from entrypoints.http.metadata import Metadata
from entrypoints.http.schema import Described, Number, Text
from entrypoints.http.webhook_views import WebhookEndpointView

Units = Annotated[
    str,
    Text(
        pattern=r"^-?[0-9]+$",
        description="Whole units of the asset's smallest denomination.",
        example="25000000",
    ),
]


@attrs.frozen(kw_only=True)
class MoneyView:
    """An amount of an asset."""

    asset: Annotated[str, Described(description="A CAIP-19-like id.", example="iso4217:USD")]
    amount: Units
    decimal: Annotated[
        str, Described(description="The amount in whole units, for people.", example="25.000000")
    ]
    symbol: Annotated[str, Described(description="For people; never an identity.", example="USD")]


@attrs.frozen(kw_only=True)
class EscrowTermsView:
    """What payer and merchant agree to; the contract's payment id is the hash of it."""

    reference: str
    merchant: Annotated[str, Described(description="The address that is paid on release.")]
    asset: str
    amount: Units
    fee_bps: int
    pay_by: datetime
    auto_release_at: datetime
    refund_until: datetime


@attrs.frozen(kw_only=True)
class PayToView:
    """Where the payer pays."""

    chain: Annotated[str, Described(description="A CAIP-2 id.", example="eip155:1")]
    address: Annotated[
        str,
        Described(
            description="The intent's own address, the escrow contract, or an address that is "
            "shared, where only the memo tells whose a payment is."
        ),
    ]
    memo: Annotated[
        str | None,
        Described(description="What has to be written beside a payment for it to be found."),
    ]
    escrow_terms: EscrowTermsView | None


@attrs.frozen(kw_only=True)
class PaymentIntentView:
    """One wish to be paid."""

    id: str
    object: Literal["payment_intent"]
    status: IntentStatus
    exception: PaymentException
    method: Method
    price: MoneyView
    due: MoneyView
    amount_received: Annotated[
        MoneyView, Described(description="Seen on the rail; may still be taken back.")
    ]
    amount_final: Annotated[MoneyView, Described(description="Cannot be taken back any more.")]
    amount_captured: Annotated[MoneyView, Described(description="Earned, before the fee.")]
    amount_remaining: MoneyView
    fee_bps: int
    quote: str
    pay_to: PayToView
    description: str | None
    metadata: dict[str, str]
    created_at: datetime
    expires_at: datetime


@attrs.frozen(kw_only=True)
class WalletCallView:
    """A transaction that the payer's wallet is asked for."""

    purpose: Literal["approve", "pay"]
    target: str
    data: str
    value: Units


@attrs.frozen(kw_only=True)
class WalletCallsView:
    """The transactions with which a payer pays, in order; none for a deposit address."""

    object: Literal["wallet_calls"]
    data: list[WalletCallView]


@attrs.frozen(kw_only=True)
class RateObservationView:
    """What one source said one whole unit of the asset is worth."""

    source: str
    rate: str
    observed_at: datetime


@attrs.frozen(kw_only=True)
class QuoteView:
    """A promise to take an amount of an asset for a price, until a time."""

    id: str
    object: Literal["quote"]
    price: MoneyView
    due: MoneyView
    rate: str
    spread_bps: int
    sources: list[RateObservationView]
    created_at: datetime
    expires_at: datetime


@attrs.frozen(kw_only=True)
class FailedRequestView:
    """A request that has come to nothing; the escrow is as it was."""

    action: EscrowAction
    reason: str
    at: datetime
    times: Annotated[int, Described(description="How often in a row.")]


@attrs.frozen(kw_only=True)
class ClaimView:
    """What the contract could not push, and keeps for its owner to withdraw."""

    side: Annotated[Side, Described(description="Whose part of the payment it is.")]
    account: Annotated[str, Described(description="The address that alone can withdraw it.")]
    amount: MoneyView
    contract: str
    calls: Annotated[
        list[str],
        Described(
            description="The contract's calls that take it out, each all of the account's in the "
            "token; the native coin's token is the zero address."
        ),
    ]
    since: datetime
    withdrawn_at: datetime | None
    withdrawn_to: str | None


@attrs.frozen(kw_only=True)
class EscrowView:
    """Money held by the contract between payer and merchant."""

    id: str
    object: Literal["escrow"]
    payment_intent: str
    state: EscrowState
    requested: Annotated[
        EscrowAction | None, Described(description="What the contract has been asked to do.")
    ]
    payer: str
    amount: MoneyView
    fee: MoneyView
    payer_amount: MoneyView
    merchant_amount: MoneyView
    terms: EscrowTermsView
    held_at: datetime
    disputed_at: datetime | None
    ended_at: datetime | None
    failure: Annotated[
        FailedRequestView | None,
        Described(description="The last request, if it has come to nothing."),
    ]
    claims: Annotated[
        list[ClaimView],
        Described(description="What could not be pushed to its owner when the escrow ended."),
    ]


@attrs.frozen(kw_only=True)
class DepositView:
    """One transfer to a customer's address."""

    id: str
    object: Literal["deposit"]
    status: DepositStatus
    customer: Annotated[str, Described(description="What you call the customer.")]
    customer_address: Annotated[str, Described(description="The id of the address.")]
    chain: Annotated[str, Described(description="A CAIP-2 id.", example="eip155:1")]
    address: str
    amount: MoneyView
    fee: Annotated[
        MoneyView | None, Described(description="What was taken of it; null until it succeeds.")
    ]
    net: Annotated[
        MoneyView | None, Described(description="What you were credited; null until it succeeds.")
    ]
    fee_bps: Annotated[int, Described(description="As it was when the deposit was first seen.")]
    transaction: Annotated[str, Described(description="Its name on the chain.")]
    source: Annotated[
        str, Described(description="Who paid, by the chain's word: an exchange's, often.")
    ]
    paid_at: Annotated[datetime, Described(description="The time of its block.")]
    created_at: datetime
    changed_at: datetime


@attrs.frozen(kw_only=True)
class BalanceView:
    """What a merchant has of one asset."""

    pending: Annotated[MoneyView, Described(description="Earned, but it can be taken back.")]
    available: Annotated[MoneyView, Described(description="Can be paid out.")]
    reserved: Annotated[MoneyView, Described(description="Set aside for a payout or refund.")]


@attrs.frozen(kw_only=True)
class BalancesView:
    """What a merchant has, per asset."""

    object: Literal["balances"]
    data: list[BalanceView]


@attrs.frozen(kw_only=True)
class SettlementView:
    """What was earned, closed into one amount."""

    id: str
    object: Literal["settlement"]
    state: SettlementState
    amount: MoneyView
    payout: str | None
    created_at: datetime


@attrs.frozen(kw_only=True)
class PayoutView:
    """Money on its way to the merchant."""

    id: str
    object: Literal["payout"]
    state: PayoutState
    settlement: str
    amount: MoneyView
    destination: str
    transaction: Annotated[str | None, Described(description="Its hash, once it is signed.")]
    reason: str | None
    created_at: datetime


@attrs.frozen(kw_only=True)
class EventView:
    """One change of one object. ``data`` is the object after the change."""

    id: str
    object: Literal["event"]
    type: Annotated[str, Described(example="payment_intent.succeeded")]
    sequence: Annotated[
        int, Number(minimum=1, description="Counts the merchant's events, without gaps.")
    ]
    previous_sequence: Annotated[
        int,
        Number(
            minimum=0,
            description="The event before: here one less; in a webhook, that of the event this "
            "endpoint was told of before, 0 for the first. One that is not known was missed.",
        ),
    ]
    timestamp: datetime
    data: (
        PaymentIntentView
        | DepositView
        | EscrowView
        | SettlementView
        | PayoutView
        | PayoutDestinationChangeView
        | WebhookEndpointView
    )


@attrs.frozen(kw_only=True)
class EventsView:
    """Events in their order."""

    object: Literal["list"]
    data: list[EventView]
    has_more: bool


@attrs.frozen(kw_only=True)
class MoneyIn:
    """An amount of an asset."""

    asset: Annotated[str, Text(min_length=3, max_length=200, example="iso4217:USD")]
    amount: Annotated[
        str,
        Text(
            pattern=r"^[1-9][0-9]{0,77}$",
            description="Whole units of the smallest denomination: cents for iso4217:USD.",
            example="2500",
        ),
    ]


@attrs.frozen(kw_only=True)
class CreateQuote:
    """A price and the asset it is to be paid in."""

    price: MoneyIn
    asset: Annotated[str, Text(min_length=3, max_length=200, example="eip155:1/slip44:60")]


@attrs.frozen(kw_only=True)
class CreatePaymentIntent:
    """Either a quote made before, or a price and the asset it is to be paid in."""

    method: Method
    price: MoneyIn | None = None
    asset: (
        Annotated[str, Text(min_length=3, max_length=200, example="eip155:1/slip44:60")] | None
    ) = None
    quote: Annotated[str, Text(min_length=1, max_length=64)] | None = None
    pay_within_seconds: (
        Annotated[
            int,
            Number(
                minimum=1,
                maximum=604800,
                description="How long the payer has; the gateway's own default where absent.",
                example=1800,
            ),
        ]
        | None
    ) = None
    description: Annotated[str, Text(max_length=500, example="Order 1042")] | None = None
    metadata: Metadata = attrs.field(factory=dict)
