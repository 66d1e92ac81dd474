"""Idempotent requests: one key, one effect, one answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import attrs

from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.shared.ids import MerchantId
    from ports.unit_of_work import UnitOfWork

_Result = TypeVar("_Result", contravariant=True)

KEY_LIFE = timedelta(hours=24)
"""How long an answer is kept for its key. Afterwards the key is as good as new."""


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
class KeyTaken(Exception):
    """The key of the request has led to an answer before; which one is learnt by claiming it."""


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
    life: timedelta = KEY_LIFE
    """How long an answer that was kept counts."""

    async def claim(self, work: UnitOfWork, *, owner: MerchantId) -> None:
        """Take the key, before anything else is done.

        Raises:
            KeyInFlight: another request holds it.
            KeyReused: it was used for another request.
            RequestReplayed: the request was carried out before.
        """
        answer = await work.idempotency.claim(owner=owner, key=self.key, life=self.life)
        if answer is None:
            return
        if answer.fingerprint != self.fingerprint:
            raise KeyReused(self.key)
        raise RequestReplayed(answer.body)

    async def keep(self, work: UnitOfWork, result: _Result, *, owner: MerchantId) -> None:
        """Store the answer with the effect; a key that was not claimed is taken with it.

        Raises:
            KeyInFlight: another request holds it. This may be raised as late as at the commit.
            KeyTaken: it has led to an answer before. So may this.
        """
        answer = Answer(self.fingerprint, self.render(result))
        await work.idempotency.keep(owner=owner, key=self.key, answer=answer)


@attrs.frozen
class KeptAnswers:
    """Answers that are kept for their keys, and are dropped when nobody can ask for them."""

    begin: Begin
    clock: Clock
    life: timedelta = KEY_LIFE

    async def forget(self, *, limit: int = 1000) -> int:
        """Drop some answers whose keys have expired; return how many, ``limit`` at most."""
        async with self.begin() as work:
            kept_before = self.clock.now() - self.life
            forgotten = await work.idempotency.forget(kept_before=kept_before, limit=limit)
            await work.commit()
        return forgotten
