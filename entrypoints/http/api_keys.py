"""API keys: made, listed, replaced and revoked by the merchant's own programs."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import attrs

from domain.merchants.model import Merchant
from domain.merchants.rotation import (
    EXPIRY_MAX,
    OVERLAP,
    OVERLAP_MAX,
    ExpiryOutOfRange,
    KeyEnded,
    KeyNameTaken,
    NotHeld,
    RotationUnderWay,
    TooManyKeys,
)
from domain.merchants.scopes import Scope
from domain.merchants.service import MerchantService
from domain.merchants.view import view_key, view_usage
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.ids import KeyId
from domain.shared.modes import Mode
from domain.usage.service import UsageService
from entrypoints.http.admission import key_of
from entrypoints.http.answers import answer, answer_once
from entrypoints.http.endpoint import Call, RawJson, delete, get, post
from entrypoints.http.intents import Name
from entrypoints.http.schema import Described, Listing, Number, Text
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from domain.merchants.model import ApiKey, Network
    from domain.merchants.service import Issued
    from domain.shared.events import Json
    from domain.shared.idempotency import Idempotency

NETWORKS_MAX = 32
DAYS_MAX = 366


@attrs.frozen
class MalformedNetwork(ValueError):
    """A network is one in CIDR notation, and no bit behind its prefix is set."""

    network: str


@attrs.frozen(kw_only=True)
class CreateApiKey:
    """A key to be made."""

    name: Annotated[
        str, Text(min_length=1, max_length=64, description="No two active keys share it.")
    ]
    scopes: Annotated[
        list[Scope],
        Listing(min_items=1, max_items=len(Scope), description="What it may do; `*` is all."),
    ]
    networks: Annotated[
        list[Annotated[str, Text(pattern="^[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?$")]],
        Listing(
            max_items=NETWORKS_MAX,
            description="From where it may be used, in CIDR notation; anywhere if none is named.",
        ),
    ] = attrs.field(factory=list)
    expires_at: Annotated[
        datetime | None,
        Described(description=f"At most {EXPIRY_MAX.days} days ahead; never if left out."),
    ] = None


@attrs.frozen(kw_only=True)
class RegenerateApiKey:
    """How a key is to be replaced."""

    overlap_seconds: Annotated[
        int,
        Number(
            minimum=0,
            maximum=int(OVERLAP_MAX.total_seconds()),
            description="How long the old key counts on.",
        ),
    ] = int(OVERLAP.total_seconds())


@attrs.frozen(kw_only=True)
class ApiKeyView:
    """An API key; its text is told only once, when it is made."""

    id: str
    object: Literal["api_key"]
    name: str
    masked: Annotated[str, Described(description="By which its owner knows it again.")]
    mode: Annotated[Mode, Described(description="Which money it is for.")]
    scopes: list[Scope]
    networks: list[str]
    active: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: Annotated[datetime | None, Described(description="To within a minute.")]


@attrs.frozen(kw_only=True)
class NewApiKeyView(ApiKeyView):
    """A new API key with its text, which is kept nowhere and cannot be told again."""

    key: Annotated[str, Described(description="For `Authorization: Bearer`.")]


@attrs.frozen(kw_only=True)
class ApiKeysView:
    """API keys."""

    object: Literal["list"]
    data: list[ApiKeyView]


@attrs.frozen(kw_only=True)
class RequestsView:
    """How many requests were answered on a day with a status of a class."""

    day: Annotated[str, Text(format="date")]
    status_class: Literal["1xx", "2xx", "3xx", "4xx", "5xx"]
    requests: int


@attrs.frozen(kw_only=True)
class UsageView:
    """What a key was used for. The last seconds may be missing."""

    object: Literal["api_key_usage"]
    api_key: str
    data: list[RequestsView]


@attrs.frozen(kw_only=True)
class UsageOf:
    """Of which time."""

    days: Annotated[int, Number(minimum=1, maximum=DAYS_MAX, description="Today included.")] = 30


@attrs.frozen(kw_only=True)
class ApiKeys:
    """The merchant's keys, those of the same mode as the one that asks."""

    service: MerchantService
    usage: UsageService

    @get("/v1/api_keys", summary="List API keys", scope=Scope.KEYS_READ)
    async def list(self, call: Call[Merchant]) -> ApiKeysView | RawJson:
        """Those not revoked first, the newest first; of revoked ones the newest alone."""
        found = await self.service.keys(owner=call.principal.id)
        return answer(call, {"object": "list", "data": [self._view(call, key) for key in found]})

    @post(
        "/v1/api_keys",
        summary="Make an API key",
        scope=Scope.KEYS_WRITE,
        idempotency="optional",
        problems=(
            KeyNameTaken,
            TooManyKeys,
            NotHeld,
            ExpiryOutOfRange,
            MalformedNetwork,
            KeyInFlight,
            KeyReused,
        ),
    )
    async def create(self, call: Call[Merchant], body: CreateApiKey) -> NewApiKeyView | RawJson:
        """Its text is told this once.

        A key gives out no scope, and no network, that it has not itself. For an idempotency key
        the text is kept for a day, sealed; who sent none and got no answer finds the name taken,
        and regenerates the key.
        """
        networks = [_network(each) for each in body.networks]

        async def act(idempotency: Idempotency[Issued] | None) -> Issued:
            return await self.service.create_key(
                merchant_id=call.principal.id,
                name=body.name,
                scopes=body.scopes,
                networks=networks,
                expires_at=body.expires_at,
                by=key_of(call.request.scope),
                idempotency=idempotency,
            )

        return await answer_once(call, act, partial(self._told, call))

    @delete(
        "/v1/api_keys/{key}",
        status=200,
        summary="Revoke an API key",
        scope=Scope.KEYS_WRITE,
        problems=(NotFound,),
    )
    async def revoke(self, call: Call[Merchant], key: Name) -> ApiKeyView | RawJson:
        """It opens nothing any more after five seconds at most, everywhere."""
        revoked = await self.service.revoke_key(key_id=KeyId(key), owner=call.principal.id)
        return answer(call, self._view(call, revoked))

    @post(
        "/v1/api_keys/{key}/regenerate",
        summary="Replace an API key",
        scope=Scope.KEYS_WRITE,
        idempotency="optional",
        problems=(NotFound, NotHeld, KeyEnded, RotationUnderWay, KeyInFlight, KeyReused),
    )
    async def regenerate(
        self, call: Call[Merchant], key: Name, body: RegenerateApiKey | None
    ) -> NewApiKeyView | RawJson:
        """The new one is like the old one, which counts on for a while: a day, if none is given.

        While both are active the key cannot be replaced again, unless one of them is revoked.
        """
        wished = body or RegenerateApiKey()

        async def act(idempotency: Idempotency[Issued] | None) -> Issued:
            return await self.service.regenerate_key(
                key_id=KeyId(key),
                owner=call.principal.id,
                overlap=timedelta(seconds=wished.overlap_seconds),
                by=key_of(call.request.scope),
                idempotency=idempotency,
            )

        return await answer_once(call, act, partial(self._told, call))

    @get(
        "/v1/api_keys/{key}/usage",
        summary="Show what an API key was used for",
        scope=Scope.KEYS_READ,
        problems=(NotFound,),
    )
    async def show_usage(
        self, call: Call[Merchant], key: Name, query: UsageOf
    ) -> UsageView | RawJson:
        """Requests by day (UTC) and class of status; those that were refused count as well."""
        found = await self.usage.of_key(
            owner=call.principal.id, key_id=KeyId(key), days=query.days
        )
        return answer(call, view_usage(KeyId(key), found))

    def _told(self, call: Call[Merchant], issued: Issued) -> dict[str, Json]:
        return {**self._view(call, issued.key), "key": issued.text}

    def _view(self, call: Call[Merchant], key: ApiKey) -> dict[str, Json]:
        return view_key(key, of=call.principal, at=self.service.clock.now())


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise MalformedNetwork(text) from error
