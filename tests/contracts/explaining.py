"""What every storage can tell of one intent: payments, blocks read, events, suspense."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from domain.chains.coverage import Stretch
from domain.chains.model import Finality
from domain.shared.events import Event
from domain.shared.ids import EscrowId, IntentId
from domain.suspense import keeping
from tests.builders import (
    CHAIN,
    MERCHANT,
    NOON,
    OTHER_CHAIN,
    OTHER_MERCHANT,
    address_of,
    an_intent,
    hash_of,
    usdt,
)
from tests.chain_builders import a_transfer, an_escrow_paid, an_observation
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from domain.chains.model import Transfer
    from domain.shared.money import ChainId
    from ports.unit_of_work import Begin

HOUR = timedelta(hours=1)
MEMO = "0123456789AB"


def to_wallet(memo: str | None) -> Transfer:
    return attrs.evolve(a_transfer(to=address_of("hot")), memo=memo)


def stretch(first: int, *, ended: int, chain: ChainId = CHAIN) -> Stretch:
    return Stretch(
        chain=chain,
        first=first,
        before=None,
        last=first + 9,
        last_hash=hash_of(f"main/{first + 9}"),
        provider="north",
        began_at=NOON,
        ended_at=NOON + ended * HOUR,
    )


class ExplainingContract(StorageContract):
    async def test_payments_to_an_address_come_in_the_chains_order(self, begin: Begin) -> None:
        to = a_transfer(to=address_of("pi_01"))
        later = an_observation("later", block=7, fact=to)
        gone = an_observation("gone", block=6, fact=to, finality=Finality.RETRACTED)
        other = an_observation("other", fact=a_transfer(to=address_of("pi_02")))
        elsewhere = an_observation("far", fact=to)
        elsewhere = attrs.evolve(elsewhere, key=attrs.evolve(elsewhere.key, chain=OTHER_CHAIN))
        async with begin() as work:
            for each in (later, gone, other, elsewhere):
                assert await work.chains.claim(each)
            await work.commit()

        async with begin() as work:
            target = address_of("pi_01")
            assert await work.chains.paid_to(CHAIN, target=target, limit=9) == [gone, later]
            assert await work.chains.paid_to(CHAIN, target=target, limit=1) == [gone]
            assert await work.chains.paid_to(CHAIN, target=address_of("x"), limit=9) == []

    async def test_payments_with_a_memo_are_found_however_it_is_written(
        self, begin: Begin
    ) -> None:
        ours = an_observation("ours", fact=to_wallet("o123-4567 89ab"))
        plain = an_observation("plain", fact=to_wallet(None))
        theirs = an_observation("theirs", fact=to_wallet("ZYXWVTSRQPNM"))
        by_address = an_observation("deposit", fact=attrs.evolve(a_transfer(), memo=MEMO))
        async with begin() as work:
            for each in (ours, plain, theirs, by_address):
                assert await work.chains.claim(each)
            await work.commit()

        async with begin() as work:
            hot = address_of("hot")
            assert await work.chains.paid_to(CHAIN, target=hot, memo=MEMO, limit=9) == [ours]
            assert len(await work.chains.paid_to(CHAIN, target=hot, limit=9)) == 3

    async def test_payments_into_an_escrow_are_found(self, begin: Begin) -> None:
        paid = an_observation("paid", fact=an_escrow_paid("pi_01"))
        async with begin() as work:
            assert await work.chains.claim(paid)
            assert await work.chains.claim(an_observation("x", fact=an_escrow_paid("pi_02")))
            await work.commit()

        async with begin() as work:
            assert await work.chains.paid_into(EscrowId(hash_of("pi_01"))) == [paid]

    async def test_what_was_read_since_a_time_comes_highest_first(self, begin: Begin) -> None:
        stretches = [stretch(1, ended=1), stretch(21, ended=2), stretch(11, ended=3)]
        async with begin() as work:
            for each in (*stretches, stretch(1, ended=9, chain=OTHER_CHAIN)):
                await work.chains.cover(each)
            await work.commit()

        async with begin() as work:
            since = NOON + 2 * HOUR
            found = await work.chains.covered_since(CHAIN, at=since, limit=9)
            newest = await work.chains.covered_since(CHAIN, at=NOON, limit=1)
        assert [it.first for it in found] == [21, 11]
        assert [it.first for it in newest] == [21]

    async def test_an_objects_newest_events_come_oldest_first(self, begin: Begin) -> None:
        await given_merchants(begin)
        told = [("pi_01", "a"), ("pi_02", "b"), ("esc_1", "c"), ("pi_01", "d")]
        await given(begin, *(Event(type, MERCHANT, of, NOON, {}) for of, type in told))
        await given(begin, Event("e", OTHER_MERCHANT, "pi_01", NOON, {}))

        async with begin() as work:
            ids = ["pi_01", "esc_1"]
            found = await work.events.of_objects(ids, owner=MERCHANT, limit=9)
            newest = await work.events.of_objects(ids, owner=MERCHANT, limit=2)
        assert [it.event.type for it in found] == ["a", "c", "d"]
        assert [it.event.type for it in newest] == ["c", "d"]

    async def test_what_lies_in_suspense_for_an_intent_is_found(self, begin: Begin) -> None:
        intent, other = an_intent("pi_01"), an_intent("pi_02")
        fact = a_transfer()
        wrong = keeping.of_other_asset(an_observation("wrong"), fact, intent)
        counted = keeping.counted(an_observation("short", block=6), fact, intent)
        given_over = attrs.evolve(
            keeping.counted(an_observation("given", block=7), fact, other), counted_by=intent.id
        )
        alien = keeping.of_other_asset(an_observation("alien"), fact, other)
        done = attrs.evolve(counted, money=usdt(1)).capture(counted.left, at=NOON)
        async with begin() as work:
            for each in (wrong, done, given_over, alien):
                await work.suspense.add(each)
            await work.commit()

        async with begin() as work:
            found = await work.suspense.of_intent(IntentId("pi_01"), limit=9)
            assert [it.id for it in found] == [wrong.id, done.id, given_over.id]
            assert len(await work.suspense.of_intent(IntentId("pi_01"), limit=2)) == 2
