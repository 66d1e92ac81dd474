from __future__ import annotations

import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.ids import SequentialIds
from adapters.memory.store import Store
from domain.shared.idempotency import Idempotency, KeyInFlight, KeyReused, RequestReplayed
from tests.builders import MERCHANT


def request(fingerprint: bytes = b"one") -> Idempotency[str]:
    return Idempotency(key="k-1", fingerprint=fingerprint, render=lambda result: result.encode())


@pytest.fixture
def store() -> Store:
    return Store(clock=FakeClock(), ids=SequentialIds())


async def carry_out(store: Store, idempotency: Idempotency[str], result: str) -> None:
    async with store.begin() as work:
        await idempotency.claim(work, owner=MERCHANT)
        await idempotency.keep(work, result, owner=MERCHANT)
        await work.commit()


async def test_a_repeated_request_is_answered_as_the_first_one_was(store: Store) -> None:
    await carry_out(store, request(), "created")

    with pytest.raises(RequestReplayed) as replay:
        await carry_out(store, request(), "created again")
    assert replay.value.answer == b"created"


async def test_a_key_is_not_for_two_requests(store: Store) -> None:
    await carry_out(store, request(), "created")

    with pytest.raises(KeyReused):
        await carry_out(store, request(b"other"), "created")


async def test_a_request_under_way_is_not_carried_out_twice(store: Store) -> None:
    async with store.begin() as work:
        await request().claim(work, owner=MERCHANT)

        with pytest.raises(KeyInFlight):
            await carry_out(store, request(), "created")

    await carry_out(store, request(), "created")
