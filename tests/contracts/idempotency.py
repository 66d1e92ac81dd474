"""What every store of idempotency keys keeps: one key, one effect, one answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from domain.shared.idempotency import Answer, KeyInFlight, KeyTaken
from tests.builders import MERCHANT, OTHER_MERCHANT, an_event
from tests.contracts.storage import StorageContract, given_merchants

if TYPE_CHECKING:
    from domain.shared.ids import MerchantId
    from ports.unit_of_work import Begin, UnitOfWork

ANSWER = Answer(fingerprint=b"\x00\xff" * 16, body=b'{"id": "pi_01"}')
LATER_ANSWER = Answer(fingerprint=b"\xff" * 32, body=b"")
LONG, NO_TIME = timedelta(days=3650), timedelta(0)
"""Lives of a key: by any clock, what was kept before is younger than the one and not the other."""
PAST, FUTURE = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


async def claim(
    work: UnitOfWork, key: str = "k-1", *, owner: MerchantId = MERCHANT, life: timedelta = LONG
) -> Answer | None:
    return await work.idempotency.claim(owner=owner, key=key, life=life)


async def keep(work: UnitOfWork, key: str = "k-1", answer: Answer = ANSWER) -> None:
    await work.idempotency.keep(owner=MERCHANT, key=key, answer=answer)


async def given_answer(begin: Begin, *keys: str, answer: Answer = ANSWER) -> None:
    async with begin() as work:
        for key in keys:
            await keep(work, key, answer)
        await work.events.record(an_event())
        await work.commit()


class IdempotencyKeysContract(StorageContract):
    async def test_a_key_leads_to_the_answer_that_was_kept(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as work:
            assert await claim(work) is None
            await keep(work)
            await work.commit()

        async with begin() as work:
            assert await claim(work) == ANSWER

    async def test_a_key_of_a_request_that_failed_is_free_again(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as work:
            await claim(work)
            await keep(work)

        async with begin() as work:
            assert await claim(work) is None

    async def test_a_key_that_another_request_holds_is_in_flight(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as one:
            assert await claim(one) is None

            async with begin() as other:
                with pytest.raises(KeyInFlight):
                    await claim(other)

            await keep(one)
            await one.commit()

        async with begin() as work:
            assert await claim(work) == ANSWER

    async def test_merchants_do_not_share_keys(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as work:
            await claim(work)
            await keep(work)
            await work.commit()

        async with begin() as work:
            assert await claim(work, owner=OTHER_MERCHANT) is None

    async def test_any_printable_key_is_a_key(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as work:
            for key in ("a", "a" * 255, "%_'\"\\:;ü", "K-1", "k-1"):
                assert await claim(work, key) is None
                await keep(work, key)
            await work.commit()

    async def test_a_key_is_taken_by_the_answer_alone(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given_answer(begin, "k-1")

        async with begin() as work:
            assert await claim(work) == ANSWER

    async def test_an_answer_is_kept_once(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given_answer(begin, "k-1")

        with pytest.raises(KeyTaken):
            await given_answer(begin, "k-1", answer=LATER_ANSWER)

        async with begin() as work:
            assert await claim(work) == ANSWER
            assert len(await work.events.after(owner=MERCHANT, sequence=0, limit=9)) == 1

    async def test_an_answer_does_not_wait_for_who_holds_the_key(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with asyncio.timeout(10), begin() as one:
            assert await claim(one) is None

            with pytest.raises(KeyInFlight) as refusal:
                await given_answer(begin, "k-1")
            assert refusal.value.key == "k-1"

    async def test_an_answer_that_was_kept_for_its_life_counts_no_more(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given_answer(begin, "k-1")

        async with begin() as work:
            assert await claim(work, life=NO_TIME) is None
        async with begin() as work:
            assert await claim(work) == ANSWER, "nothing took its place"

        async with begin() as work:
            assert await claim(work, life=NO_TIME) is None
            await keep(work, answer=LATER_ANSWER)
            await work.commit()
        async with begin() as work:
            assert await claim(work) == LATER_ANSWER

    async def test_old_answers_are_forgotten_a_few_at_a_time(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given_answer(begin, "k-1", "k-2", "k-3")

        forgotten = []
        for before in (PAST, FUTURE, FUTURE, FUTURE):
            async with begin() as work:
                forgotten.append(await work.idempotency.forget(kept_before=before, limit=2))
                await work.commit()
        assert forgotten == [0, 2, 1, 0]

        async with begin() as work:
            assert [await claim(work, f"k-{n}") for n in (1, 2, 3)] == [None] * 3
