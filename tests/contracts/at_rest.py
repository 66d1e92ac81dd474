"""What every storage does with the secrets that lie in it, whether any do or not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from domain.at_rest.service import AtRestService
from domain.shared.idempotency import Answer
from tests.builders import MERCHANT, NOON, an_endpoint
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

ENDPOINTS = [
    an_endpoint("we_01"),
    an_endpoint("we_02", secret="whsec_b25l", former_secret="whsec_b2xk"),
    an_endpoint("we_03", deleted_at=NOON),
]
ANSWERS = {
    f"k-{number}": Answer(bytes([number]), b'{"number": %d}\xff' % number) for number in range(3)
}


class SecretsAtRestContract(StorageContract):
    async def test_what_is_sealed_anew_reads_as_before(self, begin: Begin) -> None:
        await given_secrets(begin)
        before = await AtRestService(begin).standing()

        done = await AtRestService(begin).reseal()

        await must_read_as_given(begin)
        assert done.unreadable == []
        assert done.outdated == 0
        assert sum(done.kinds.values()) == sum(before.kinds.values())
        again = await AtRestService(begin).reseal()
        assert (again.resealed, again.kinds) == (0, done.kinds)

    async def test_an_empty_storage_has_none(self, begin: Begin) -> None:
        standing = await AtRestService(begin).standing()

        assert (standing.kinds, standing.outdated, standing.unreadable) == ({}, 0, [])


async def given_secrets(begin: Begin) -> None:
    """Store endpoints and answers that hold secrets."""
    await given_merchants(begin)
    await given(begin, *ENDPOINTS)
    async with begin() as work:
        for key, answer in ANSWERS.items():
            await work.idempotency.keep(owner=MERCHANT, key=key, answer=answer)
        await work.commit()


async def must_read_as_given(begin: Begin) -> None:
    """Assert that all of them are read as they were stored."""
    async with begin() as work:
        assert [await work.webhooks.get_endpoint(it.id) for it in ENDPOINTS] == ENDPOINTS
        for key, answer in ANSWERS.items():
            kept = await work.idempotency.claim(owner=MERCHANT, key=key, life=timedelta(days=3650))
            assert kept == answer
