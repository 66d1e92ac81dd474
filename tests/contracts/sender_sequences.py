"""What every store keeps of the numbers that senders of our transactions have used."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from tests.builders import CHAIN, NOON, OTHER_CHAIN, address_of
from tests.chain_builders import a_submission, signed_bytes
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from ports.unit_of_work import Begin


class SenderSequencesContract(StorageContract):
    async def test_sequence_numbers_follow_each_other_and_the_chain(self, begin: Begin) -> None:
        taken = [await take(begin, at_least=n) for n in (4, 0, 4, 9, 0)]

        assert taken == [4, 5, 6, 9, 10]

    async def test_each_sender_on_each_chain_has_a_sequence(self, begin: Begin) -> None:
        async with begin() as work:
            for chain, sender in ((CHAIN, "a"), (CHAIN, "b"), (OTHER_CHAIN, "a")):
                number = await work.chains.take_sequence(
                    chain, sender=address_of(sender), at_least=0
                )
                assert number == 0
            await work.commit()

    async def test_a_number_taken_by_work_that_was_undone_is_given_out_again(
        self, begin: Begin
    ) -> None:
        await take(begin, at_least=0)
        async with begin() as work:
            await work.chains.take_sequence(CHAIN, sender=address_of("hot"), at_least=0)

        assert await take(begin, at_least=0) == 1

    async def test_a_number_that_is_given_back_is_given_out_again_and_those_above_it(
        self, begin: Begin
    ) -> None:
        taken = [await take(begin, at_least=0) for _ in range(4)]
        await give_back(begin, 2)

        assert taken == [0, 1, 2, 3]
        assert [await take(begin, at_least=0) for _ in range(3)] == [2, 3, 4]

    async def test_the_first_number_can_be_given_back(self, begin: Begin) -> None:
        await take(begin, at_least=0)
        await give_back(begin, 0)

        assert await take(begin, at_least=0) == 0

    async def test_no_number_that_the_chain_has_taken_is_given_out_again(
        self, begin: Begin
    ) -> None:
        await take(begin, at_least=5)
        await give_back(begin, 2)

        assert await take(begin, at_least=6) == 6

    async def test_a_number_that_was_not_given_out_cannot_be_given_back(
        self, begin: Begin
    ) -> None:
        await give_back(begin, 7)
        assert await take(begin, at_least=0) == 0
        await give_back(begin, 9)

        assert await take(begin, at_least=0) == 1

    async def test_a_number_given_back_by_work_that_was_undone_stays_taken(
        self, begin: Begin
    ) -> None:
        await take(begin, at_least=0)
        await give_back(begin, 0, commits=False)

        assert await take(begin, at_least=0) == 1

    async def test_a_number_is_given_back_by_its_sender_alone(self, begin: Begin) -> None:
        await take(begin, at_least=0)
        async with begin() as work:
            for chain, sender in ((CHAIN, "cold"), (OTHER_CHAIN, "hot")):
                await work.chains.give_back_sequence(chain, sender=address_of(sender), sequence=0)
            await work.commit()

        assert await take(begin, at_least=0) == 1

    async def test_many_at_once_take_numbers_without_gaps_or_doubles(self, begin: Begin) -> None:
        taken = await asyncio.gather(*(take(begin, at_least=0) for _ in range(8)))

        assert sorted(taken) == [*range(8)]

    async def test_an_expired_submission_keeps_the_number_that_another_one_has(
        self, begin: Begin
    ) -> None:
        until = NOON + timedelta(hours=1)
        lost, other = (
            a_submission(f"sub_{name}").sign(
                attrs.evolve(signed_bytes(name), valid_until=until, gapless=True), at=NOON
            )
            for name in ("lost", "other")
        )
        lost = lost.expire(at=until + timedelta(seconds=1))
        await given(begin, lost, other)

        async with begin() as work:
            assert await work.chains.lock_submission(lost.id) == lost
            assert await work.chains.lock_submission(other.id) == other


async def take(begin: Begin, *, at_least: int) -> int:
    async with begin() as work:
        number = await work.chains.take_sequence(
            CHAIN, sender=address_of("hot"), at_least=at_least
        )
        await asyncio.sleep(0)
        await work.commit()
        return number


async def give_back(begin: Begin, sequence: int, *, commits: bool = True) -> None:
    async with begin() as work:
        await work.chains.give_back_sequence(CHAIN, sender=address_of("hot"), sequence=sequence)
        if commits:
            await work.commit()
