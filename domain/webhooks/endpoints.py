"""What a merchant does about webhook endpoints: make, look, change, rotate, test, delete."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import attrs

from domain.shared.ids import EndpointId
from domain.shared.metadata import merged
from domain.webhooks import events
from domain.webhooks.endpoint import PING, SECRET_BYTES, Disabled, Endpoint, secret_of
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import MerchantId
    from ports.unit_of_work import UnitOfWork

ENDPOINTS_MAX: Final = 20
"""How many endpoints a merchant may have: each event may be sent as often."""

OVERLAP: Final = timedelta(hours=24)
"""How long a secret signs beside the next one, unless asked otherwise."""


@attrs.frozen
class UrlMalformed(ValueError):
    """An endpoint has an http or https URL with a host, no user and no fragment."""

    url: str


@attrs.frozen
class TooManyEndpoints(Exception):
    """The merchant has as many endpoints as there may be."""

    maximum: int


@attrs.frozen
class EndpointDisabled(Exception):
    """The endpoint is switched off, and nothing is sent to it."""

    id: EndpointId


@attrs.frozen(kw_only=True)
class Wishes:
    """What a merchant wants an endpoint to be; None leaves it as it is."""

    url: str | None = None
    types: frozenset[str] | None = None
    description: str | None = None
    hex_signature: bool | None = None
    enabled: bool | None = None
    metadata: Mapping[str, str | None] = attrs.field(factory=dict)
    """Entries that are to be others, and those that are to go."""

    def applied_to(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint as it is wanted.

        Raises:
            TooMuchMetadata: it would have more of it than there may be.
        """
        named = attrs.asdict(self, recurse=False)
        enabled, metadata = named.pop("enabled"), named.pop("metadata")
        changed = attrs.evolve(
            endpoint,
            **{k: v for k, v in named.items() if v is not None},
            metadata=merged(endpoint.metadata, metadata),
        )
        if enabled is None or enabled == endpoint.enabled:
            return changed
        return changed.enable() if enabled else changed.disable(Disabled.BY_HAND)


@attrs.frozen
class EndpointService:
    """A merchant's own doing; what becomes of endpoints by themselves is ``trying``'s."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def create(
        self,
        *,
        owner: MerchantId,
        url: str,
        wishes: Wishes,
        metadata: Mapping[str, str] | None = None,
        idempotency: Idempotency[Endpoint] | None = None,
    ) -> Endpoint:
        """Add an endpoint with a signing secret of its own.

        Raises:
            UrlMalformed: no server could be reached there.
            TooManyEndpoints: the merchant has as many as there may be.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        plain = Endpoint(
            id=EndpointId(self.ids.new("endpoint")),
            merchant_id=owner,
            url=_checked(url),
            secret=secret_of(self.ids.entropy(SECRET_BYTES)),
            created_at=self.clock.now(),
            metadata=metadata or {},
        )
        endpoint = wishes.applied_to(plain)
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            if len(await work.webhooks.endpoints(owner=owner)) >= ENDPOINTS_MAX:
                raise TooManyEndpoints(ENDPOINTS_MAX)
            await work.webhooks.add_endpoint(endpoint)
            if idempotency:
                await idempotency.keep(work, endpoint, owner=owner)
            await work.commit()
        return endpoint

    async def page(
        self, *, owner: MerchantId, before: EndpointId | None = None, limit: int
    ) -> Sequence[Endpoint]:
        """Return a merchant's endpoints, newest first, from just before one named."""
        async with self.begin() as work:
            mine = await work.webhooks.endpoints(owner=owner)
        older = [it for it in mine if before is None or it.id < before]
        return sorted(older, key=lambda it: it.id, reverse=True)[:limit]

    async def get(self, *, owner: MerchantId, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint.

        Raises:
            NotFound: the merchant has none of that name.
        """
        async with self.begin() as work:
            return _mine(await work.webhooks.get_endpoint(endpoint_id), owner)

    async def change(
        self, *, owner: MerchantId, endpoint_id: EndpointId, wishes: Wishes
    ) -> Endpoint:
        """Change an endpoint; one that is switched on again begins as if it had never failed.

        Raises:
            NotFound: the merchant has none of that name.
            UrlMalformed: no server could be reached there.
            TooMuchMetadata: more would be left than there may be.
        """
        if wishes.url is not None:
            _checked(wishes.url)
        async with self.begin() as work:
            endpoint = await self._locked(work, owner, endpoint_id)
            changed = wishes.applied_to(endpoint)
            await work.webhooks.save_endpoint(changed)
            await work.commit()
        return changed

    async def delete(self, *, owner: MerchantId, endpoint_id: EndpointId) -> None:
        """Send nothing there any more; what still waits is parked when it comes due.

        Raises:
            NotFound: the merchant has none of that name.
        """
        async with self.begin() as work:
            endpoint = await self._locked(work, owner, endpoint_id)
            await work.webhooks.save_endpoint(endpoint.delete(at=self.clock.now()))
            await work.commit()

    async def rotate_secret(
        self,
        *,
        owner: MerchantId,
        endpoint_id: EndpointId,
        overlap: timedelta = OVERLAP,
        idempotency: Idempotency[Endpoint] | None = None,
    ) -> Endpoint:
        """Sign with another secret; for as long as they overlap, the one before signs too.

        Raises:
            NotFound: the merchant has none of that name.
            SecretStillRotating: the one before the present one still signs.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            endpoint = await self._locked(work, owner, endpoint_id)
            rotated = endpoint.rotate(
                secret_of(self.ids.entropy(SECRET_BYTES)), at=self.clock.now(), overlap=overlap
            )
            await work.webhooks.save_endpoint(rotated)
            if idempotency:
                await idempotency.keep(work, rotated, owner=owner)
            await work.commit()
        return rotated

    async def test(
        self,
        *,
        owner: MerchantId,
        endpoint_id: EndpointId,
        idempotency: Idempotency[Endpoint] | None = None,
    ) -> Endpoint:
        """Have a ping sent as any event is; no other endpoint is told of it.

        Raises:
            NotFound: the merchant has none of that name.
            EndpointDisabled: it is switched off.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            endpoint = _mine(await work.webhooks.get_endpoint(endpoint_id), owner)
            if not endpoint.enabled:
                raise EndpointDisabled(endpoint_id)
            await work.events.record(events.happened(PING, endpoint, at=self.clock.now()))
            if idempotency:
                await idempotency.keep(work, endpoint, owner=owner)
            await work.commit()
        return endpoint

    async def _locked(
        self, work: UnitOfWork, owner: MerchantId, endpoint_id: EndpointId
    ) -> Endpoint:
        return _mine(await work.webhooks.lock_endpoint(endpoint_id), owner)


def _mine(endpoint: Endpoint, owner: MerchantId) -> Endpoint:
    if endpoint.merchant_id != owner or endpoint.deleted_at is not None:
        raise NotFound("endpoint", endpoint.id)
    return endpoint


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UrlMalformed(url) from error
    plain = "@" not in parts.netloc and not parts.fragment and port != 0
    readable = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in {"http", "https"} or not parts.hostname or not (plain and readable):
        raise UrlMalformed(url)
    return url
