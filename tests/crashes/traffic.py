"""Traffic on a gateway that may be away at any moment: a merchant who asks until he is answered.

He remembers by himself, outside the gateway, what he was told and what was paid.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import attrs

from domain.intents.model import Method
from domain.intents.service import PriceIn
from domain.merchants.model import Merchant
from domain.shared.idempotency import Idempotency, KeyInFlight, RequestReplayed
from domain.shared.ids import IntentId
from domain.shared.money import AssetId, Money
from ports.unit_of_work import NotFound, StorageUnavailable
from tests.crashes.world import PRICE, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TRIES_MAX = 1_000
PAUSE_SECONDS = 0.1

_Answer = TypeVar("_Answer")


@attrs.define(kw_only=True)
class Traffic:
    """What one merchant and his payers do, and what he remembers of it."""

    world: World
    merchant: Merchant
    answered: dict[str, IntentId] = attrs.field(factory=dict)
    """The intent that each key was answered with."""
    paid: dict[IntentId, Method] = attrs.field(factory=dict)
    unanswered: int = 0
    """How often nobody could tell whether a request had its effect."""
    closing: asyncio.Event = attrs.field(factory=asyncio.Event)
    _wallet: asyncio.Lock = attrs.field(factory=asyncio.Lock)

    async def browse(self, name: str) -> None:
        """Create intents that nobody pays, one after the other, until the shop closes."""
        number = 0
        while not self.closing.is_set():
            await self._create(f"{name}-{number}", Method.ADDRESS)
            number += 1

    async def buy(self, name: str, method: Method) -> None:
        """Create intents and pay them, and release what lies in escrow, until the shop closes."""
        number = 0
        while not self.closing.is_set():
            key = f"{name}-{number}"
            id = await self._create(key, method)
            get = partial(self.world.api.intents.get, owner=self.merchant.id, intent_id=id)
            intent = await self._until_answered(get)
            async with self._wallet:  # It numbers its transactions one after the other.
                await self._until_answered(partial(self.world.pay, intent))
            self.paid[id] = method
            if method is Method.ESCROW:
                await self._until_answered(partial(self._release, id, f"{key}-release"))
            number += 1

    async def mine(self) -> None:
        """Add a block now and then, until the shop closes and a while longer, until canceled."""
        while True:
            await self.world.outside.mine(1)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _create(self, key: str, method: Method) -> IntentId:
        once = Idempotency[object](
            key=key,
            fingerprint=key.encode(),
            render=lambda intent: str(intent.id).encode(),  # type: ignore[attr-defined] # It is one.
        )
        self.answered[key] = id = await self._until_answered(
            partial(self._ask_for_intent, method, once)
        )
        return id

    async def _ask_for_intent(self, method: Method, once: Idempotency[object]) -> IntentId:
        try:
            intent = await self.world.api.intents.create(
                merchant=self.merchant,
                method=method,
                offer=PriceIn(Money(PRICE, AssetId("iso4217:USD")), self.world.asset),
                idempotency=once,
            )
        except RequestReplayed as replayed:
            return IntentId(replayed.answer.decode())
        return intent.id

    async def _release(self, id: IntentId, key: str) -> None:
        once = Idempotency[object](key=key, fingerprint=b"", render=lambda _: b"released")
        try:
            await self.world.api.escrows.release(
                owner=self.merchant.id, intent_id=id, idempotency=once
            )
        except RequestReplayed:
            return

    async def _until_answered(self, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
        for _ in range(TRIES_MAX):
            try:
                return await ask()
            except StorageUnavailable:
                self.unanswered += 1
            except (KeyInFlight, NotFound):
                pass  # Somebody's connection is still dying, or the money is not final yet.
            await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError("there is never an answer")
