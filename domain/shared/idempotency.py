"""Idempotent requests: one key, one effect, one answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import attrs

if TYPE_CHECKING:
    from domain.shared.ids import MerchantId
    from ports.unit_of_work import UnitOfWork

_Result = TypeVar("_Result", contravariant=True)


@attrs.frozen
class KeyInFlight(Exception):
    """A request with this key is being carried out at this moment. Try again later."""

    retry_after_seconds: ClassVar = 1

    key: str


@attrs.frozen
class KeyReused(Exception):
    """The key was used before, for another request."""

    key: str


@attrs.frozen
class RequestReplayed(Exception):
    """The request was carried out before; this is what it answered then. Not a failure."""

    answer: bytes


@attrs.frozen
class Answer:
    """What is kept of a request: which it was, and what it was answered."""

    fingerprint: bytes
    body: bytes


@attrs.frozen
class Idempotency(Generic[_Result]):
    """A request's key, its fingerprint, and how its result is put into words.

    The answer is stored in the same transaction as the effect, so there is never one without
    the other, and a request that died half-way leaves no trace of its key.
    """

    key: str
    fingerprint: bytes
    render: Callable[[_Result], bytes]

    async def claim(self, work: UnitOfWork, *, owner: MerchantId) -> None:
        """Take the key, before anything else is done.

        Raises:
            KeyInFlight: another request holds it.
            KeyReused: it was used for another request.
            RequestReplayed: the request was carried out before.
        """
        answer = await work.idempotency.claim(owner=owner, key=self.key)
        if answer is None:
            return
        if answer.fingerprint != self.fingerprint:
            raise KeyReused(self.key)
        raise RequestReplayed(answer.body)

    async def keep(self, work: UnitOfWork, result: _Result, *, owner: MerchantId) -> None:
        """Store the answer with the effect."""
        answer = Answer(self.fingerprint, self.render(result))
        await work.idempotency.keep(owner=owner, key=self.key, answer=answer)
