"""Who is let in: a key that is valid here and now, for what it may do, and not too often."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import attrs

from domain.audit.model import named
from domain.limits.model import Kind, QuotaExceeded, TooManyAtOnce
from domain.limits.service import LimitService
from domain.merchants.service import KeyNotValid, MerchantService
from domain.shared.actors import Actor, ActorKind, act_as
from domain.shared.visibility import seeing_all
from domain.usage.service import UsageService
from entrypoints.http.client_address import Proxies
from entrypoints.http.edge import request_id_of
from entrypoints.http.problems import ProblemType, Refusal, Unauthenticated
from entrypoints.http.visits import Visit, recognise
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

    from domain.limits.model import Standing
    from domain.merchants.model import ApiKey, Caller, Merchant
    from domain.shared.ids import KeyId
    from entrypoints.http.endpoint import Operation

_SCOPE_KEY = "switchyard.api_key"


@attrs.frozen(eq=False)
class InsufficientScope(Refusal):
    """The API key does not allow this."""

    problem: ClassVar = ProblemType(
        403,
        "insufficient-scope",
        "Insufficient scope",
        detail="The key lacks the scope {scope}.",
        fields=("scope",),
        headers={"WWW-Authenticate": "challenge"},
    )

    scope: str

    @property
    def challenge(self) -> str:
        """What would be needed (RFC 6750, section 3)."""
        return f'Bearer error="insufficient_scope", scope="{self.scope}"'


@attrs.frozen(eq=False)
class AddressNotAllowed(Refusal):
    """The API key may not be used from this address."""

    problem: ClassVar = ProblemType(403, "address-not-allowed", "Address not allowed")


@attrs.frozen(eq=False)
class RateLimited(Refusal):
    """Too many requests of this kind were made with the key; try again in the next window."""

    problem: ClassVar = ProblemType(
        429,
        "rate-limited",
        "Too many requests",
        fields=("policy",),
        headers={"Retry-After": "retry_after_seconds"},
    )

    policy: str
    retry_after_seconds: int


@attrs.frozen(eq=False)
class ConcurrencyLimited(Refusal):
    """Too many requests with the key are under way; wait for some of them."""

    problem: ClassVar = ProblemType(
        429,
        "too-many-at-once",
        "Too many requests at once",
        detail="At most {limit} requests with one key may be under way.",
        fields=("limit",),
        headers={"Retry-After": "retry_after_seconds"},
    )

    limit: int
    retry_after_seconds: int = 1


REFUSALS = (
    Unauthenticated,
    InsufficientScope,
    AddressNotAllowed,
    RateLimited,
    ConcurrencyLimited,
)
"""What every operation that needs a key may answer."""


def key_of(scope: Scope) -> ApiKey:
    """Return the API key by which the caller of an operation was recognised."""
    key: ApiKey = scope[_SCOPE_KEY]
    return key


def must_allow(scope: Scope, wanted: str) -> None:
    """See to it that the caller's key has a scope besides the one that the operation needs.

    Raises:
        InsufficientScope: it has not.
    """
    if not key_of(scope).may(wanted):
        raise InsufficientScope(wanted)


@attrs.frozen(kw_only=True)
class Admission:
    """Lets requests in: ``await admission(request, operation)`` returns whose they are."""

    merchants: MerchantService
    usage: UsageService
    limits: LimitService
    proxies: Proxies = attrs.field(factory=Proxies)
    _policies: Mapping[Kind, tuple[bytes, bytes]] = attrs.field(init=False)

    @_policies.default
    def _policies_default(self) -> Mapping[Kind, tuple[bytes, bytes]]:
        # Item and parameters are those of draft-ietf-httpapi-ratelimit-headers-10, section 3.
        return {
            kind: (
                b"ratelimit-policy",
                f'"{kind}";q={quota.requests};w={quota.window_seconds}'.encode(),
            )
            for kind, quota in self.limits.quotas.items()
        }

    async def __call__(self, request: Request, operation: Operation) -> Merchant:
        """Recognise who calls, and let the request through.

        From the recognition on it is counted, whatever the answer is. Once it is let in, what is
        done for it is done by the key.

        Raises:
            Unauthenticated: there is no key, or it is not valid (any more).
            AddressNotAllowed: it may not be used from there.
            InsufficientScope: it does not allow this operation.
            ConcurrencyLimited, RateLimited: it is used too much.
            StorageUnavailable: the storage, which was to be asked, does not answer.
        """
        caller = await self._recognised(request)
        key = caller.key
        visit = Visit(answered=partial(self._answered, key.id))
        visit.begin(request.scope)
        address = self.proxies.client_of(request)
        actor = Actor(
            kind=ActorKind.KEY,
            id=key.id,
            action=operation.action,
            merchant_id=key.merchant_id,
            request_id=request_id_of(request.scope),
            address=None if address is None else str(address),
            objects=named(request.path_params.values()),
        )
        recognise(request.scope, actor)
        if not key.admits(address):
            raise AddressNotAllowed
        if operation.scope is not None and not key.may(operation.scope):
            raise InsufficientScope(operation.scope)
        await self._let_through(visit, key.id, operation.kind)
        request.scope[_SCOPE_KEY] = key
        act_as(actor)
        return caller.merchant

    async def still_admits(self, request: Request) -> bool:
        """Tell whether the key of a request that was let in is valid still, as far as is known."""
        try:
            await self._recognised(request)
        except Unauthenticated:
            return False
        except StorageUnavailable:
            return True
        return True

    async def _recognised(self, request: Request) -> Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated
        try:
            # Whose key it is, is what is to be found out.
            with seeing_all():
                return await self.merchants.authenticate(key=key.strip())
        except KeyNotValid as error:
            raise Unauthenticated from error

    async def _let_through(self, visit: Visit, key_id: KeyId, kind: Kind) -> None:
        try:
            self.limits.enter(key_id)
        except TooManyAtOnce as error:
            raise ConcurrencyLimited(error.limit) from error
        visit.left = partial(self.limits.leave, key_id)
        try:
            with seeing_all():
                standing = await self.limits.take(key_id, kind)
        except QuotaExceeded as error:
            visit.headers = self._standing(kind, error.standing)
            raise RateLimited(kind, error.standing.resets_in_seconds) from error
        visit.headers = self._standing(kind, standing)

    def _answered(self, key_id: KeyId, status: int) -> None:
        self.usage.count(key_id, status=status)

    def _standing(self, kind: Kind, standing: Standing) -> list[tuple[bytes, bytes]]:
        told = f'"{kind}";r={standing.remaining};t={standing.resets_in_seconds}'
        return [(b"ratelimit", told.encode()), self._policies[kind]]
