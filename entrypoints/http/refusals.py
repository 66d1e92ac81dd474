"""What each exception of the domain is to a client: one table."""

from __future__ import annotations

from domain.customers.service import UnknownChain
from domain.destinations.model import ChangeTransitionRefused, NotIndependent
from domain.destinations.service import (
    AlreadyThere,
    ChainNotServed,
    ChangeUnderWay,
    OwnDestination,
)
from domain.escrow.model import EscrowActionInProgress, EscrowTransitionRefused
from domain.intents.issuing import AssetNotAccepted, ChainOfOtherMode, MethodNotOffered
from domain.intents.model import IntentTransitionRefused
from domain.intents.prices import PRICE_MAX, NotACurrency, PriceOutOfRange
from domain.intents.quotes import NoRate, QuoteExpired
from domain.ledger.model import InsufficientFunds
from domain.ledger.parking import AssetParked
from domain.merchants.rotation import (
    ExpiryOutOfRange,
    KeyEnded,
    KeyNameTaken,
    NotHeld,
    RotationUnderWay,
    TooManyKeys,
)
from domain.network_fees.service import NoFeeMarket
from domain.sandbox.model import (
    AssetOfOtherChain,
    NotADevnet,
    NotATestAccount,
    NothingDue,
    OnlyWhatIsDue,
    ReachesFinal,
)
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.metadata import TooMuchMetadata
from domain.shared.money import AmountOutOfRange, MalformedAssetId, UnknownAsset
from domain.stars.model import InvoiceMalformed
from domain.stars.service import NotPaidInStars
from domain.webhooks.endpoint import SecretStillRotating
from domain.webhooks.endpoints import EndpointDisabled, TooManyEndpoints, UrlMalformed
from entrypoints.http.api_keys import MalformedNetwork
from entrypoints.http.intents import UnclearOffer
from entrypoints.http.problems import ProblemTable, ProblemType
from ports.addresses import AddressRefused
from ports.chain import ChainUnavailable
from ports.stars import StarsRefused, StarsUnavailable
from ports.unit_of_work import NotFound, StorageUnavailable

PRICE_OUT_OF_RANGE = ProblemType(
    422,
    "price-out-of-range",
    "Price out of range",
    detail=f"A price is at most {PRICE_MAX} of its currency's smallest units.",
)

RETRY_AFTER = {"Retry-After": "retry_after_seconds"}

REFUSALS = ProblemTable(
    {
        NotFound: ProblemType(404, "not-found", "Not Found"),
        UnknownAsset: ProblemType(422, "unknown-asset", "Unknown asset", fields=("asset",)),
        MalformedAssetId: ProblemType(422, "malformed-asset", "Malformed asset id"),
        NotACurrency: ProblemType(
            422, "not-a-currency", "Prices are in a currency", fields=("asset",)
        ),
        AssetNotAccepted: ProblemType(
            422, "asset-not-accepted", "Asset not accepted", fields=("asset",)
        ),
        MethodNotOffered: ProblemType(
            422, "method-not-offered", "Method not offered", fields=("method", "chain")
        ),
        UnknownChain: ProblemType(
            422,
            "unknown-chain",
            "Unknown chain",
            detail="The gateway is not on {chain}.",
            fields=("chain",),
        ),
        ChainOfOtherMode: ProblemType(
            422,
            "chain-of-other-mode",
            "Test money and live money do not mix",
            detail="{chain} is not for accounts of the mode {mode}.",
            fields=("chain", "mode"),
        ),
        AssetParked: ProblemType(
            503,
            "asset-parked",
            "The asset moves no money at the moment",
            detail="Payments in this asset are not taken for now. Other assets are.",
            fields=("asset",),
            headers=RETRY_AFTER,
        ),
        PriceOutOfRange: PRICE_OUT_OF_RANGE,
        AmountOutOfRange: PRICE_OUT_OF_RANGE,
        UnclearOffer: ProblemType(422, "unclear-offer", "Either a quote or a price and an asset"),
        QuoteExpired: ProblemType(
            422, "quote-expired", "The quote has expired", fields=("expired_at",)
        ),
        NoRate: ProblemType(
            503,
            "no-rate",
            "No rate can be trusted",
            detail="{reason}",
            fields=("asset", "currency"),
            headers=RETRY_AFTER,
        ),
        IntentTransitionRefused: ProblemType(
            409, "intent-state", "Not possible in this state", fields=("wanted",)
        ),
        EscrowTransitionRefused: ProblemType(
            409, "escrow-state", "Not possible in this state", fields=("wanted",)
        ),
        EscrowActionInProgress: ProblemType(
            409, "escrow-action-in-progress", "Another request is under way", fields=("action",)
        ),
        InsufficientFunds: ProblemType(
            409,
            "insufficient-funds",
            "The money has been spent",
            detail="What was earned of this payment is no longer there to be given back.",
            fields=("asset",),
        ),
        NotPaidInStars: ProblemType(
            409, "not-paid-in-stars", "Not paid in Stars", fields=("method",)
        ),
        InvoiceMalformed: ProblemType(
            422, "invoice-malformed", "Not an invoice", detail="{why}", fields=("field",)
        ),
        StarsRefused: ProblemType(
            422, "stars-refused", "Telegram does not take the invoice", detail="{reason}"
        ),
        StarsUnavailable: ProblemType(
            503,
            "stars-unavailable",
            "Telegram does not answer",
            detail="Try again later. However many links are made, an intent is paid once.",
            headers=RETRY_AFTER,
        ),
        NoFeeMarket: ProblemType(
            404, "no-fee-market", "No fees are known of this chain", fields=("chain",)
        ),
        ChainUnavailable: ProblemType(
            503,
            "chain-unavailable",
            "No node of the chain answers",
            detail="Try again later.",
        ),
        KeyNameTaken: ProblemType(
            409, "key-name-taken", "An active key has this name", fields=("name",)
        ),
        TooManyKeys: ProblemType(409, "too-many-keys", "Too many active keys", fields=("limit",)),
        ExpiryOutOfRange: ProblemType(
            422, "expiry-out-of-range", "Expiry out of range", fields=("expires_at",)
        ),
        MalformedNetwork: ProblemType(
            422, "malformed-network", "Malformed network", fields=("network",)
        ),
        KeyEnded: ProblemType(409, "key-ended", "The key opens nothing any more"),
        RotationUnderWay: ProblemType(
            409, "rotation-under-way", "The key is being replaced already", fields=("name",)
        ),
        NotHeld: ProblemType(
            403,
            "not-held",
            "A key gives out no more than it has itself",
            fields=("scopes", "networks"),
        ),
        ChainNotServed: ProblemType(
            422, "chain-not-served", "Nobody is paid on this chain here", fields=("chain",)
        ),
        AddressRefused: ProblemType(
            422, "address-refused", "Nothing can be sent to this address", detail="{why}"
        ),
        OwnDestination: ProblemType(
            422, "own-address", "The address is the gateway's own", fields=("address",)
        ),
        AlreadyThere: ProblemType(
            409, "already-there", "Payouts go to this address already", fields=("chain",)
        ),
        ChangeUnderWay: ProblemType(
            409,
            "change-under-way",
            "Another change of this chain's destination is open",
            detail="{id} has to end first: wait for it, or cancel it.",
        ),
        ChangeTransitionRefused: ProblemType(
            409, "change-state", "Not possible in this state", fields=("state", "wanted")
        ),
        NotIndependent: ProblemType(
            403,
            "not-independent",
            "Somebody else has to decide",
            detail="Neither the key that asked, nor one that it could have made, nor one of which "
            "that is not known, approves. Another one does, or an operator.",
        ),
        UrlMalformed: ProblemType(
            422, "url-malformed", "Not a URL that can be called", fields=("url",)
        ),
        TooManyEndpoints: ProblemType(
            409, "too-many-endpoints", "As many endpoints as there may be", fields=("maximum",)
        ),
        EndpointDisabled: ProblemType(409, "endpoint-disabled", "The endpoint is switched off"),
        SecretStillRotating: ProblemType(
            409,
            "secret-still-rotating",
            "The former secret still signs",
            detail="Wait until its end, or rotate without an overlap, which ends both at once.",
            fields=("until",),
        ),
        NotATestAccount: ProblemType(403, "test-mode-only", "For test accounts only"),
        NotADevnet: ProblemType(409, "not-a-devnet", "Not a devnet", fields=("chain",)),
        NothingDue: ProblemType(409, "nothing-due", "Nothing is due any more"),
        AssetOfOtherChain: ProblemType(
            422, "asset-of-other-chain", "An asset of another chain", fields=("asset", "chain")
        ),
        OnlyWhatIsDue: ProblemType(
            409, "only-what-is-due", "The contract would not take it", fields=("method",)
        ),
        ReachesFinal: ProblemType(
            409,
            "reorg-reaches-final",
            "A final block would be replaced",
            detail="At most {maximum} of the newest blocks are not final.",
            fields=("chain", "depth", "maximum"),
        ),
        TooMuchMetadata: ProblemType(
            422,
            "too-much-metadata",
            "More metadata than an object may have",
            detail="At most {maximum} entries may be left.",
            fields=("maximum",),
        ),
        KeyReused: ProblemType(
            422, "idempotency-key-reused", "The key was used for another request"
        ),
        KeyInFlight: ProblemType(
            409,
            "idempotency-key-in-flight",
            "A request with this key is being carried out",
            headers=RETRY_AFTER,
        ),
        StorageUnavailable: ProblemType(
            503, "storage-unavailable", "Try again later", headers=RETRY_AFTER
        ),
    }
)
