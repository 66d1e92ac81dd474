"""Readable builders: each returns a usual object, with what the test is about changed by name.

They build values only; nothing here stores, reads a clock or draws a random number.
"""

# The fields that a builder is told to change are of any type.
# ruff: noqa: ANN401

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from domain.escrow.model import Escrow, EscrowTerms
from domain.fees.model import FeeSchedule
from domain.intents.attempts import Attempt, AttemptState
from domain.intents.model import DepositAddress, Method, PaymentIntent, SharedAddress
from domain.intents.quotes import Quote, RateObservation
from domain.ledger.accounts import available, custody, reserved
from domain.ledger.holds import Hold
from domain.ledger.model import Transaction, credit, debit
from domain.merchants.model import ApiKey, Merchant, PaymentPolicy
from domain.settlements.model import Settlement
from domain.settlements.payouts import Payout
from domain.shared.events import Event
from domain.shared.ids import (
    AttemptId,
    DeliveryId,
    EndpointId,
    EscrowId,
    EventId,
    HoldId,
    IntentId,
    KeyId,
    MerchantId,
    PayoutId,
    QuoteId,
    SettlementId,
)
from domain.shared.money import Asset, AssetId, ChainId, Money
from domain.webhooks.endpoint import Endpoint
from domain.webhooks.model import Delivery

if TYPE_CHECKING:
    from domain.ledger.accounts import Account

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When everything here was made, unless a test says otherwise."""

CHAIN = ChainId("eip155:31337")
OTHER_CHAIN = ChainId("eip155:31338")
USDT = Asset(
    AssetId(f"{CHAIN}/erc20:0x{'5' * 40}"), "USDT", decimals=18, peg=AssetId("iso4217:USD")
)
COIN = Asset(AssetId(f"{CHAIN}/slip44:60"), "ETH", decimals=18)
USD = Asset(AssetId("iso4217:USD"), "USD", decimals=2)
CONTRACT = "0x" + "c" * 40
CUSTODY = custody("evm", "deposits")
MERCHANT = MerchantId("mer_01")
OTHER_MERCHANT = MerchantId("mer_02")


def hash_of(text: str) -> str:
    """Return a name as a block, a transaction or an escrow has it: ``0x`` and 64 hex digits."""
    return "0x" + hashlib.sha256(text.encode()).hexdigest()


def address_of(text: str) -> str:
    """Return an address, ``0x`` and 40 hex digits, always the same for the same text."""
    return hash_of(text)[:42]


def usdt(amount: int) -> Money:
    return Money(amount, USDT.id)


def coins(amount: int) -> Money:
    return Money(amount, COIN.id)


def usd(cents: int) -> Money:
    return Money(cents, USD.id)


def a_merchant(id: str = MERCHANT, **changes: Any) -> Merchant:
    merchant = Merchant(
        id=MerchantId(id), name="Ada's bicycles", created_at=NOON, fees=FeeSchedule(bps=100)
    )
    return attrs.evolve(merchant, **changes)


def an_api_key(id: str = "key_01", **changes: Any) -> ApiKey:
    key = ApiKey(
        id=KeyId(id),
        merchant_id=MERCHANT,
        digest=hashlib.sha256(id.encode()).digest(),
        created_at=NOON,
    )
    return attrs.evolve(key, **changes)


def a_rate(source: str = "north", rate: str = "1", **changes: Any) -> RateObservation:
    return attrs.evolve(RateObservation(source, Decimal(rate), NOON), **changes)


def a_quote(id: str = "qt_01", **changes: Any) -> Quote:
    quote = Quote(
        id=QuoteId(id),
        merchant_id=MERCHANT,
        price=usd(2500),
        due=usdt(25 * 10**18),
        rate=Decimal("1.00000000"),
        spread_bps=3,
        sources=(a_rate("north"), a_rate("south", "1.0003"), a_rate("west", "0.9999")),
        created_at=NOON,
        expires_at=NOON + timedelta(minutes=5),
    )
    return attrs.evolve(quote, **changes)


def terms_of(reference: str = "pi_01", **changes: Any) -> EscrowTerms:
    terms = EscrowTerms(
        chain=CHAIN,
        contract=CONTRACT,
        reference=reference,
        merchant=address_of("merchant"),
        money=usdt(25 * 10**18),
        fees=FeeSchedule(bps=100),
        pay_by=NOON + timedelta(hours=1),
        auto_release_at=NOON + timedelta(days=7),
        refund_until=NOON + timedelta(days=14),
    )
    return attrs.evolve(terms, **changes)


def deposit_to(name: str = "pi_01", *, index: int = 0, chain: ChainId = CHAIN) -> DepositAddress:
    return DepositAddress(chain=chain, address=address_of(name), index=index)


def shared_with(memo: str = "0123456789AB", *, chain: ChainId = CHAIN) -> SharedAddress:
    return SharedAddress(chain=chain, wallet=address_of("hot"), memo=memo)


def an_attempt(**changes: Any) -> Attempt:
    attempt = Attempt(
        id=AttemptId("pa_01"),
        rail="evm",
        state=AttemptState.AWAITING_PAYER,
        begun_at=NOON,
        changed_at=NOON,
    )
    return attrs.evolve(attempt, **changes)


def an_intent(id: str = "pi_01", **changes: Any) -> PaymentIntent:
    """Return an intent that waits to be paid at a deposit address of its own."""
    intent = PaymentIntent(
        id=IntentId(id),
        merchant_id=MERCHANT,
        price=usd(2500),
        due=usdt(25 * 10**18),
        quote_id=QuoteId("qt_01"),
        method=Method.ADDRESS,
        pay_to=deposit_to(id, index=int(id.rpartition("_")[2], 36) if "_" in id else 0),
        fees=FeeSchedule(bps=100),
        policy=PaymentPolicy(),
        created_at=NOON,
        expires_at=NOON + timedelta(hours=1),
        attempt=an_attempt(id=AttemptId(id.replace("pi", "pa"))),
    )
    return attrs.evolve(intent, **changes)


def an_escrow_intent(id: str = "pi_01", **changes: Any) -> PaymentIntent:
    """Return an intent that waits to be paid into the escrow contract."""
    return an_intent(id, **{"method": Method.ESCROW, "pay_to": terms_of(id), **changes})


def an_escrow(intent_id: str = "pi_01", **changes: Any) -> Escrow:
    """Return an escrow that holds the money of an intent."""
    escrow = Escrow.hold(
        id=EscrowId(hash_of(intent_id)),
        intent_id=IntentId(intent_id),
        merchant_id=MERCHANT,
        terms=terms_of(intent_id),
        payer=address_of("payer"),
        at=NOON,
    )
    return attrs.evolve(escrow, **changes)


def a_hold(id: str = "hold_01", **changes: Any) -> Hold:
    hold = Hold(
        id=HoldId(id),
        reference="set_01",
        source=available(MERCHANT),
        aside=reserved(MERCHANT),
        money=usdt(100),
        expires_at=NOON + timedelta(hours=1),
    )
    return attrs.evolve(hold, **changes)


def earned(amount: int, *, by: str = MERCHANT, reference: str = "pi_01") -> Transaction:
    """Return a booking by which money from outside becomes a merchant's."""
    return Transaction(
        kind="capture",
        reference=reference,
        postings=(
            debit(CUSTODY, usdt(amount)),
            credit(available(MerchantId(by)), usdt(amount)),
        ),
        effective_at=NOON,
    )


def paid_to(target: Account, amount: int, *, by: str = MERCHANT) -> Transaction:
    """Return a booking by which a merchant's money becomes another account's."""
    return Transaction(
        kind="transfer",
        reference="po_01",
        postings=(
            debit(available(MerchantId(by)), usdt(amount)),
            credit(target, usdt(amount)),
        ),
        effective_at=NOON,
    )


def a_settlement(id: str = "set_01", **changes: Any) -> Settlement:
    settlement = Settlement(
        id=SettlementId(id),
        merchant_id=MERCHANT,
        money=usdt(100),
        created_at=NOON,
        hold_id=HoldId("hold_01"),
    )
    return attrs.evolve(settlement, **changes)


def a_payout(id: str = "po_01", **changes: Any) -> Payout:
    payout = Payout(
        id=PayoutId(id),
        settlement_id=SettlementId("set_01"),
        merchant_id=MERCHANT,
        money=usdt(100),
        destination=address_of("merchant"),
        hold_id=HoldId("hold_01"),
        created_at=NOON,
    )
    return attrs.evolve(payout, **changes)


def an_endpoint(id: str = "we_01", **changes: Any) -> Endpoint:
    endpoint = Endpoint(
        id=EndpointId(id),
        merchant_id=MERCHANT,
        url="https://shop.example/hooks",
        secret="whsec_bWFkZSB1cCBmb3IgdGVzdHMgb25seQ==",
        created_at=NOON,
    )
    return attrs.evolve(endpoint, **changes)


def a_delivery(id: str = "wd_01", **changes: Any) -> Delivery:
    delivery = Delivery(
        id=DeliveryId(id),
        endpoint_id=EndpointId("we_01"),
        event_id=EventId("evt_01"),
        merchant_id=MERCHANT,
        created_at=NOON,
        sequence=1,
        previous_sequence=0,
    )
    return attrs.evolve(delivery, **changes)


def an_event(object_id: str = "pi_01", **changes: Any) -> Event:
    event = Event(
        type="payment_intent.succeeded",
        merchant_id=MERCHANT,
        object_id=object_id,
        occurred_at=NOON,
        data={"id": object_id, "amount": "25", "paid": True, "lines": [1, {"a": None}]},
    )
    return attrs.evolve(event, **changes)
