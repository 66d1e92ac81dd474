"""What every store of idempotency keys keeps: one key, one effect, one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.shared.idempotency import Answer, KeyInFlight
from tests.builders import MERCHANT, OTHER_MERCHANT
from tests.contracts.storage import StorageContract, given_merchants

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

ANSWER = Answer(fingerprint=b"\x00\xff" * 16, body=b'{"id": "pi_01"}')


class IdempotencyKeysContract(StorageContract):
    async def test_a_key_leads_to_the_answer_that_was_kept(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as work:
            assert await work.idempotency.claim(owner=MERCHANT, key="k-1") is None
            await work.idempotency.keep(owner=MERCHANT, key="k-1", answer=ANSWER)
            await work.commit()

        async with begin() as work:
            assert await work.idempotency.claim(owner=MERCHANT, key="k-1") == ANSWER

    async def test_a_key_of_a_request_that_failed_is_free_again(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as work:
            await work.idempotency.claim(owner=MERCHANT, key="k-1")
            await work.idempotency.keep(owner=MERCHANT, key="k-1", answer=ANSWER)

        async with begin() as work:
            assert await work.idempotency.claim(owner=MERCHANT, key="k-1") is None

    async def test_a_key_that_another_request_holds_is_in_flight(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as one:
            assert await one.idempotency.claim(owner=MERCHANT, key="k-1") is None

            async with begin() as other:
                with pytest.raises(KeyInFlight):
                    await other.idempotency.claim(owner=MERCHANT, key="k-1")

            await one.idempotency.keep(owner=MERCHANT, key="k-1", answer=ANSWER)
            await one.commit()

        async with begin() as work:
            assert await work.idempotency.claim(owner=MERCHANT, key="k-1") == ANSWER

    async def test_merchants_do_not_share_keys(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as work:
            await work.idempotency.claim(owner=MERCHANT, key="k-1")
            await work.idempotency.keep(owner=MERCHANT, key="k-1", answer=ANSWER)
            await work.commit()

        async with begin() as work:
            assert await work.idempotency.claim(owner=OTHER_MERCHANT, key="k-1") is None

    async def test_any_printable_key_is_a_key(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as work:
            for key in ("a", "a" * 255, "%_'\"\\:;ü", "K-1", "k-1"):
                assert await work.idempotency.claim(owner=MERCHANT, key=key) is None
                await work.idempotency.keep(owner=MERCHANT, key=key, answer=ANSWER)
            await work.commit()
