"""What every store keeps of which blocks were read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from domain.chains.coverage import Stretch
from tests.builders import (
    CHAIN,
    COIN,
    NOON,
    OTHER_CHAIN,
    USDT,
    address_of,
    an_escrow_intent,
    an_intent,
)
from tests.chain_builders import a_block, a_cursor
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from domain.shared.money import ChainId
    from ports.unit_of_work import Begin


def a_stretch(first: int, last: int, *, chain: ChainId = CHAIN) -> Stretch:
    return Stretch(
        chain=chain,
        first=first,
        before=a_block(first).parent,
        last=last,
        last_hash=a_block(last).hash,
        provider="1:node.example",
        began_at=NOON,
        ended_at=NOON + timedelta(seconds=last),
    )


class CoverageContract(StorageContract):
    async def test_stretches_come_back_whole_lowest_first(self, begin: Begin) -> None:
        low, high = attrs.evolve(a_stretch(1, 4), before=None), a_stretch(5, 9)
        async with begin() as work:
            for stretch in (high, low, a_stretch(2, 3, chain=OTHER_CHAIN)):
                await work.chains.cover(stretch)
            await work.commit()

        async with begin() as work:
            assert await work.chains.covered(CHAIN, first=1) == [low, high]
            assert await work.chains.covered(CHAIN, first=4) == [low, high]
            assert await work.chains.covered(CHAIN, first=5) == [high]
            assert await work.chains.covered(CHAIN, first=10) == []

    async def test_a_stretch_grows_where_it_begins(self, begin: Begin) -> None:
        for stretch in (a_stretch(1, 4), a_stretch(1, 6)):
            async with begin() as work:
                await work.chains.cover(stretch)
                await work.commit()

        async with begin() as work:
            assert await work.chains.covered(CHAIN, first=1) == [a_stretch(1, 6)]

    async def test_what_is_replaced_is_no_longer_covered(self, begin: Begin) -> None:
        async with begin() as work:
            for stretch in (a_stretch(1, 4), a_stretch(5, 9), a_stretch(10, 12)):
                await work.chains.cover(stretch)
            await work.chains.cover(a_stretch(1, 12, chain=OTHER_CHAIN))
            await work.commit()

        async with begin() as work:
            await work.chains.uncover(CHAIN, after=a_block(6))
            await work.commit()

        async with begin() as work:
            shorter = attrs.evolve(a_stretch(5, 9), last=6, last_hash=a_block(6).hash)
            assert await work.chains.covered(CHAIN, first=1) == [a_stretch(1, 4), shorter]
            assert len(await work.chains.covered(OTHER_CHAIN, first=1)) == 1

    async def test_a_cursor_knows_of_its_gap(self, begin: Begin) -> None:
        for gap in (7, None):
            cursor = attrs.evolve(a_cursor(9), gap=gap)
            async with begin() as work:
                await work.chains.save_cursor(cursor)
                await work.commit()
            async with begin() as work:
                assert await work.chains.cursor(CHAIN) == cursor


class AwaitedContract(StorageContract):
    """Where an asset is waited for, and where we have been already."""

    async def test_addresses_are_told_the_first_to_expire_first(self, begin: Begin) -> None:
        await given_merchants(begin)
        late = an_intent("pi_02", expires_at=NOON + timedelta(hours=2))
        soon = an_intent("pi_01", expires_at=NOON + timedelta(hours=1))
        canceled = an_intent("pi_03").cancel(at=NOON)
        await given(begin, late, soon, canceled, an_escrow_intent("pi_04"))

        async with begin() as work:
            told = await work.intents.awaited_at(chain=CHAIN, asset=USDT.id, limit=9)
            assert told == [address_of("pi_01"), address_of("pi_02")]
            first = await work.intents.awaited_at(chain=CHAIN, asset=USDT.id, limit=1)
            assert first == [address_of("pi_01")]
            assert not await work.intents.awaited_at(chain=CHAIN, asset=COIN.id, limit=9)
            assert not await work.intents.awaited_at(chain=OTHER_CHAIN, asset=USDT.id, limit=9)
