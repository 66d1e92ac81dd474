"""Use cases of intents: what a merchant asks for, and what it is refused."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.escrow.model import EscrowTerms
from domain.intents.issuing import AssetNotAccepted, MethodNotOffered
from domain.intents.listing import Place
from domain.intents.model import DepositAddress, IntentStatus, Method, PaymentIntent
from domain.intents.service import PriceIn
from domain.shared.idempotency import Idempotency, KeyInFlight, KeyReused, RequestReplayed
from ports.unit_of_work import NotFound, StorageUnavailable
from tests.builders import CHAIN, COIN, USD, USDT, usd
from tests.domain.mishaps import Died, Mortal, yielding
from tests.domain.scene import DUE, PLACES
from tests.domain.services import RULES
from tests.domain.world import another_merchant, new_world

if TYPE_CHECKING:
    from tests.domain.services import Services
    from tests.domain.world import World

OFFER = PriceIn(usd(2500), USDT.id)


def once(key: str = "order-1042", fingerprint: bytes = b"order") -> Idempotency[PaymentIntent]:
    return Idempotency(key=key, fingerprint=fingerprint, render=lambda it: it.id.encode())


async def create_once(world: World, services: Services) -> PaymentIntent:
    return await services.intents.create(
        merchant=world.merchant, method=Method.ADDRESS, offer=OFFER, idempotency=once()
    )


class TestCreation:
    async def test_an_address_is_the_intents_own(self, world: World) -> None:
        places = [(await world.intent()).pay_to for _ in range(3)]

        addresses = {it.address for it in places if isinstance(it, DepositAddress)}
        assert len(addresses) == 3

    async def test_an_address_is_never_given_out_twice_even_after_a_failure(
        self, world: World
    ) -> None:
        world.around.store.fail_next_commit()
        with pytest.raises(StorageUnavailable):
            await world.intent()

        intent = await world.intent()

        assert isinstance(intent.pay_to, DepositAddress)
        assert intent.pay_to.index == 1

    async def test_the_terms_of_an_escrow_follow_from_the_intent(self, world: World) -> None:
        world.clock.advance(seconds=0.7)
        intent = await world.escrow_intent()

        terms = intent.pay_to
        assert isinstance(terms, EscrowTerms)
        assert (terms.reference, terms.money, terms.fees) == (intent.id, intent.due, intent.fees)
        assert (terms.merchant, terms.contract) == (PLACES.hot_wallet, PLACES.escrow_contract)
        assert terms.pay_by == intent.expires_at
        assert intent.expires_at.microsecond == 0
        assert terms.auto_release_at - terms.pay_by == RULES.auto_release_after
        assert terms.refund_until - terms.auto_release_at == RULES.refund_window

    async def test_the_merchant_may_set_the_time_to_pay(self, world: World) -> None:
        intent = await world.services.intents.create(
            merchant=world.merchant,
            method=Method.ESCROW,
            offer=OFFER,
            pay_within=timedelta(minutes=7),
            description="Order 1042",
            metadata={"order": "1042"},
        )

        assert intent.expires_at - intent.created_at == timedelta(minutes=7)
        stored = await world.now(intent)
        assert (stored.description, stored.metadata) == ("Order 1042", {"order": "1042"})

    async def test_an_intent_keeps_the_rules_it_was_made_under(self, world: World) -> None:
        intent = await world.intent()
        changed = attrs.evolve(world.merchant, fees=attrs.evolve(world.merchant.fees, bps=900))
        async with world.around.store.begin() as work:
            await work.merchants.save(changed)
            await work.commit()
        world.pay(intent)
        await world.settle_down()

        assert await world.earned() == DUE - DUE // 100

    async def test_an_intent_and_its_event_are_one(self, world: World) -> None:
        world.around.store.fail_next_commit()
        with pytest.raises(StorageUnavailable):
            await world.intent()

        tables = world.around.store.tables
        assert len(tables.intents) == len(tables.events) == len(tables.quotes) == 0

        intent = await world.intent()
        assert await world.told() == ["payment_intent.created"]
        assert len(tables.quotes) == 1
        assert intent.status is IntentStatus.REQUIRES_PAYMENT

    async def test_an_address_cannot_be_paid_in_a_coin_that_leaves_no_trace(
        self, world: World
    ) -> None:
        with pytest.raises(AssetNotAccepted):
            await world.services.intents.create(
                merchant=world.merchant,
                method=Method.ADDRESS,
                offer=PriceIn(usd(2500), COIN.id),
            )

    async def test_a_method_that_the_chain_does_not_offer_is_refused(self, world: World) -> None:
        with pytest.raises(MethodNotOffered) as refusal:
            await world.intent(method=Method.MEMO)
        assert (refusal.value.method, refusal.value.chain) == (Method.MEMO, CHAIN)


class TestIdempotency:
    async def test_one_key_is_one_intent(self, world: World) -> None:
        made = await create_once(world, world.services)

        with pytest.raises(RequestReplayed) as replay:
            await create_once(world, world.services)
        with pytest.raises(KeyReused):
            await world.services.intents.create(
                merchant=world.merchant,
                method=Method.ADDRESS,
                offer=OFFER,
                idempotency=once(fingerprint=b"another order"),
            )

        assert replay.value.answer == made.id.encode()
        assert len(world.around.store.tables.intents) == 1
        assert await world.told() == ["payment_intent.created"]

    async def test_a_repeated_request_is_answered_though_there_is_no_rate_now(
        self, world: World
    ) -> None:
        made = await create_once(world, world.services)
        for source in world.around.rates:
            source.fall_silent(USDT, USD)

        with pytest.raises(RequestReplayed) as replay:
            await create_once(world, world.services)

        assert replay.value.answer == made.id.encode()

    async def test_a_key_is_a_merchants_own(self, world: World) -> None:
        other = await another_merchant(world)
        for merchant in (world.merchant, other):
            await world.services.intents.create(
                merchant=merchant, method=Method.ADDRESS, offer=OFFER, idempotency=once()
            )
        assert len(world.around.store.tables.intents) == 2

    async def test_two_at_once_with_one_key_make_one_intent(self, world: World) -> None:
        services = [yielding(world.around) for _ in range(3)]

        made = await asyncio.gather(
            *(create_once(world, each) for each in services),
            return_exceptions=True,
        )

        intents = [it for it in made if isinstance(it, PaymentIntent)]
        assert len(intents) == 1
        assert all(isinstance(it, PaymentIntent | KeyInFlight | RequestReplayed) for it in made)
        assert len(world.around.store.tables.intents) == 1

    async def test_a_request_that_died_leaves_no_trace_of_its_key(self) -> None:
        for step in range(1, 100):
            world = await new_world()
            mortal = Mortal(world.around, dies_at=step).services
            try:
                await create_once(world, mortal)
            except Died:
                pass
            else:
                assert step > 10, "the request was hardly looked at"
                return
            with contextlib.suppress(RequestReplayed):
                await create_once(world, world.services)
            assert len(world.around.store.tables.intents) == 1
            assert await world.told() == ["payment_intent.created"]


class TestOwnership:
    async def test_another_merchants_intent_is_not_there(self, world: World) -> None:
        intent = await world.paid_escrow()
        stranger = (await another_merchant(world)).id
        intents, escrows = world.services.intents, world.services.escrows

        for ask in (
            intents.get,
            intents.cancel,
            intents.accept,
            intents.wallet_calls,
            escrows.get,
            escrows.release,
            escrows.refund,
        ):
            with pytest.raises(NotFound):
                await ask(owner=stranger, intent_id=intent.id)
        assert await intents.page(owner=stranger, limit=10) == []

    async def test_pages_go_from_the_newest_to_the_oldest(self, world: World) -> None:
        made = [await world.intent() for _ in range(5)]
        page = world.services.intents.page
        owner = world.merchant.id

        newest = await page(owner=owner, limit=2)
        last = Place(newest[-1].created_at, newest[-1].id)
        rest = await page(owner=owner, before=last, limit=10)

        assert [it.id for it in (*newest, *rest)] == [it.id for it in reversed(made)]


async def test_a_wallet_is_asked_to_approve_and_to_pay(world: World) -> None:
    calls = world.services.intents.wallet_calls
    escrow, address = await world.escrow_intent(), await world.intent()

    asked = await calls(owner=world.merchant.id, intent_id=escrow.id)

    assert [call.purpose for call in asked] == ["approve", "pay"]
    assert await calls(owner=world.merchant.id, intent_id=address.id) == ()
