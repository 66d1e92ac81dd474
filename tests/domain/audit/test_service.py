"""Recording what was refused, and verifying a log in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.ids import SequentialIds
from adapters.memory.store import Store
from domain.audit.model import Outcome, Wanted
from domain.audit.service import SEALED_MAX, SEALS_PAGE, AuditService
from domain.shared.actors import acting_as
from ports.unit_of_work import StorageUnavailable
from tests.contracts.audit import an_entry, somebody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.audit.model import Entry


@pytest.fixture
def store() -> Store:
    return Store(clock=FakeClock(), ids=SequentialIds())


@pytest.fixture
def log(store: Store) -> AuditService:
    return AuditService(store.begin, store.clock)


async def entries(log: AuditService) -> Sequence[Entry]:
    return [it.entry for it in await log.page(Wanted(), limit=10_000)]


async def test_what_was_gathered_is_stored_once(log: AuditService) -> None:
    log.gather(an_entry())
    assert [await log.flush(), await log.flush()] == [1, 0]
    assert await entries(log) == [an_entry()]


async def test_what_is_stored_for_somebody_is_nobodys_deed(log: AuditService) -> None:
    log.gather(an_entry())
    with acting_as(somebody()):
        await log.flush()
        await log.record(somebody())
    assert len(await entries(log)) == 2


async def test_nothing_is_lost_while_the_storage_is_away(log: AuditService, store: Store) -> None:
    log.gather(an_entry())
    store.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await log.flush()
    log.gather(an_entry(1))
    assert await log.flush() == 2
    assert {*await entries(log)} == {an_entry(), an_entry(1)}


@pytest.mark.parametrize(
    ("recorded", "outcome", "kept"),
    [
        (0, Outcome.DONE, 1),
        (1, Outcome.DONE, 0),
        (1, Outcome.REFUSED, 1),
        (0, Outcome.FAILED, 1),
    ],
)
async def test_what_was_recorded_with_its_changes_is_not_recorded_again(
    log: AuditService, recorded: int, outcome: Outcome, kept: int
) -> None:
    actor = somebody()
    actor.deeds.recorded = recorded
    await log.record(actor, outcome=outcome, problem="why")
    assert [it.outcome for it in await entries(log)] == [outcome] * kept


async def test_a_log_of_many_seals_is_verified_to_its_end(log: AuditService, store: Store) -> None:
    number = SEALS_PAGE + 2
    for each in range(number):
        await log.record(somebody(request_id=f"req_{each}"))
        assert await log.seal() == 1

    found = await log.verify()
    assert (found.broken, found.entries) == (None, number)
    assert found.head is not None
    assert found.head.number == number
    store.tables.audit.restore(number, attrs.evolve(an_entry(), times=8))
    assert (await log.verify()).entries == number - 1


async def test_two_sealers_make_one_chain(log: AuditService, store: Store) -> None:
    async with store.begin() as work:
        await work.audit.record([an_entry() for _ in range(3 * SEALED_MAX)])
        await work.commit()
    assert sorted(await asyncio.gather(*(log.seal() for _ in range(5)))) == [
        *(0, 0),
        *[SEALED_MAX] * 3,
    ]
    assert (await log.verify()).broken is None
