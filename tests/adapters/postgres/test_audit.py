"""The audit log against hands in the database, and commits in any order."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

from domain.audit.service import AuditService
from domain.shared.actors import acting_as
from ports.unit_of_work import StorageUnavailable
from tests.builders import NOON, a_merchant
from tests.contracts.audit import an_entry, entries, record, seal, somebody
from tests.support.postgres import end_sessions

if TYPE_CHECKING:
    from datetime import datetime

    from ports.unit_of_work import Begin, UnitOfWork


class Now:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def log(begin: Begin) -> AuditService:
    return AuditService(begin, Now())


async def sealed_entries(begin: Begin, *batches: int) -> list[int]:
    """Record and seal so many entries at a time; return their places."""
    places = []
    for size in batches:
        await record(begin, *(an_entry(request_id=f"req_{number}") for number in range(size)))
        places += await seal(begin)
    return places


def by_hand(dsn: str, *statements: str) -> None:
    """Do what only a superuser can, past the triggers."""
    with psycopg.connect(dsn) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in statements:
            connection.execute(statement.encode())


@pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
@pytest.mark.parametrize(
    "verb",
    ["update {} set {} = {}", "delete from {}", "delete from {} where false", "truncate {}"],
)
async def test_nothing_is_changed_or_taken_away(
    begin: Begin, postgres_dsn: str, table: str, verb: str
) -> None:
    await sealed_entries(begin, 2)
    column = {"audit_entry": "action", "audit_seal": "last"}[table]
    with (
        psycopg.connect(postgres_dsn) as connection,
        pytest.raises(errors.IntegrityConstraintViolation, match="never changed"),
    ):
        connection.execute(verb.format(table, column, column).encode())


async def test_what_nobody_has_touched_is_whole(begin: Begin, log: AuditService) -> None:
    assert (await log.verify()).head is None
    places = await sealed_entries(begin, 3, 1, 2)
    found = await log.verify()
    assert (found.broken, found.entries) == (None, 6)
    assert found.head is not None
    assert (found.head.number, found.head.last) == (3, places[-1])


CHANGES = (
    "at = at + interval '1 microsecond'",
    "actor = 'operator'",
    "actor_id = 'key_2'",
    "merchant_id = null",
    "action = action || ' '",
    "objects = objects[:1]",
    "outcome = 'done'",
    "status = 200",
    "problem = null",
    "times = times - 1",
    "request_id = ''",
    "address = null",
    "detail = detail || '!'",
)
CHANGED = "seal 2: entry {4} is not what followed entry {3}"
TAMPERINGS = {
    "changed the first": (
        "update audit_entry set times = 9 where sequence = {0}",
        "seal 1: entry {0} is not what followed its first entry",
    ),
    "deleted the last": (
        "delete from audit_entry where sequence = {5}",
        "seal 2: an entry is missing behind entry {4}",
    ),
    "deleted in the middle": (
        "delete from audit_entry where sequence = {1}",
        "seal 1: entry {2} is not what followed entry {0}",
    ),
    "deleted at the end of a seal": (
        "delete from audit_entry where sequence = {2}",
        "seal 1: an entry is missing behind entry {1}",
    ),
    "swapped two": (
        """
        update audit_entry set request_id = case request_id when 'req_0' then 'req_1'
        else 'req_0' end where sequence in ({3}, {4})
        """,
        "seal 2: entry {3} is not what followed its first entry",
    ),
    "inserted in front": (
        """
        create temp table copied as select * from audit_entry where sequence = {0};
        update copied set sequence = -1;
        insert into audit_entry overriding system value select * from copied
        """,
        "seal 1: entry -1 is not what followed its first entry",
    ),
    "moved behind the end": (
        "update audit_entry set sequence = default where sequence = {5}",
        "seal 2: an entry is missing behind entry {4}",
    ),
    "an outcome that is none": (
        "update audit_entry set outcome = 'fine' where sequence = {0}",
        "seal 1: an entry that nobody could have recorded: 'fine' is not a valid Outcome",
    ),
    "deleted a seal": ("delete from audit_seal where number = 1", "seal 1 is missing"),
    "changed a hash": (
        "update audit_seal set hash = sha256(hash) where number = 1",
        "seal 1: the seal is not that of its entries",
    ),
    "changed a mark": (
        "update audit_seal set marks = overlay(marks placing '\\x00' from 5) where number = 1",
        "seal 1: entry {1} is not what followed entry {0}",
    ),
    "changed a place": (
        "update audit_seal set last = last + 1 where number = 1",
        "seal 1: entry {3} is one too many",
    ),
    **{
        f"changed {each.partition(' ')[0]}": (
            "update audit_entry set CHANGE where sequence = {4}".replace("CHANGE", each),
            CHANGED,
        )
        for each in CHANGES
    },
}
"""What somebody does to the entries {0} to {5}, in two seals, and what is told of it."""


@pytest.mark.parametrize("done", TAMPERINGS)
async def test_the_first_place_is_told(
    begin: Begin, postgres_dsn: str, log: AuditService, done: str
) -> None:
    places = await sealed_entries(begin, 3, 3)
    statement, told = TAMPERINGS[done]
    by_hand(postgres_dsn, statement.format(*places))

    found = await log.verify()

    assert found.broken == told.format(*places)
    assert found.entries == (0 if told.startswith("seal 1") else 3)


async def test_an_entry_put_between_two_is_found(
    begin: Begin, postgres_dsn: str, log: AuditService
) -> None:
    """Places have gaps, where what was undone had one: something may be put there later."""
    first = await sealed_entries(begin, 1)
    async with begin() as work:
        await work.audit.record([an_entry()])
        await work.audit.last_seal()
    second = await sealed_entries(begin, 1)
    gap = first[0] + 1
    assert second == [gap + 1]
    assert (await log.verify()).broken is None

    put = """
        create temp table copied as select * from audit_entry where sequence = {0};
        update copied set sequence = {1};
        insert into audit_entry overriding system value select * from copied
        """
    by_hand(postgres_dsn, put.format(first[0], gap))
    found = await log.verify()
    assert found.broken == f"seal 2: entry {gap} is not what followed its first entry"


async def test_who_seals_anew_is_found_by_a_seal_that_was_published(
    begin: Begin, postgres_dsn: str, log: AuditService
) -> None:
    await sealed_entries(begin, 2, 2)
    published = (await log.verify()).head
    assert published is not None
    by_hand(postgres_dsn, "delete from audit_seal", "update audit_entry set times = 7")
    while await seal(begin):
        pass

    found = await log.verify()
    assert (found.broken, found.entries) == (None, 4)
    again = await log.seal_of(published.number)
    assert again is None or again.hash != published.hash


async def test_what_is_not_sealed_for_long_is_told(begin: Begin, log: AuditService) -> None:
    await sealed_entries(begin, 1)
    await record(begin, an_entry(-11), an_entry(0))
    found = await log.verify()
    assert found.broken is not None
    assert found.broken.endswith("and those behind it have no seal")
    await seal(begin)
    assert (await log.verify()).broken is None


async def doing(stack: AsyncExitStack, begin: Begin, merchant: str) -> UnitOfWork:
    """Begin a unit of work that has a place in the log and has not committed it."""
    work = await stack.enter_async_context(begin())
    await work.audit.record([an_entry(request_id=merchant)])
    await work.audit.last_seal()
    return work


async def test_one_that_commits_late_is_not_passed_over(begin: Begin, log: AuditService) -> None:
    async with AsyncExitStack() as stack:
        early = await doing(stack, begin, "early")
        late = await doing(stack, begin, "late")
        await late.commit()
        # As often as it takes to pass over what is not there yet, if it were passed over.
        assert [await seal(begin) for _ in range(4)] == [[]] * 4
        await early.commit()

    assert len(await seal(begin)) == 2
    found = await log.verify()
    assert (found.broken, found.entries) == (None, 2)


async def test_one_that_stays_open_holds_up_only_what_comes_after(begin: Begin) -> None:
    before = await sealed_entries(begin, 1)
    await record(begin, an_entry())
    async with AsyncExitStack() as stack:
        await doing(stack, begin, "early")
        await record(begin, an_entry())
        # The first look sees who is writing, and where the last place was; before that it
        # cannot tell whose place is whose.
        assert [await seal(begin) for _ in range(3)] == [[]] * 3
    assert await seal(begin) == [before[0] + 1, before[0] + 3]


async def test_many_at_once_make_one_log(begin: Begin, log: AuditService) -> None:
    """Some take several places, some give theirs up, and all end when they like."""
    committed = 0
    running = 6

    async def act(number: int) -> None:
        nonlocal committed, running
        draw = random.Random(number)  # noqa: S311 (a repeatable story, no secret)
        for turn in range(6):
            with acting_as(somebody(id=f"key_{number}")):
                async with begin() as work:
                    await work.merchants.add(a_merchant(f"mer_{number}_{turn}"))
                    await work.merchants.all()
                    await asyncio.sleep(draw.random() / 100)
                    if draw.random() < 0.7:
                        await work.commit()
                        committed += 1
        running -= 1

    async def seal_on() -> None:
        while running:
            await seal(begin, limit=3)
            await asyncio.sleep(0.001)

    async with asyncio.TaskGroup() as tasks:
        for number in range(running):
            tasks.create_task(act(number))
        tasks.create_task(seal_on())
    while await seal(begin):
        pass

    found = await log.verify()
    assert (found.broken, found.entries) == (None, committed)
    assert len(await entries(begin)) == committed


async def test_a_connection_that_breaks_leaves_neither_change_nor_entry(
    begin: Begin, postgres_dsn: str
) -> None:
    async def act() -> None:
        async with begin() as work:
            await work.merchants.add(a_merchant())
            await work.merchants.all()
            await end_sessions(postgres_dsn)
            await work.commit()

    with acting_as(somebody()), pytest.raises(StorageUnavailable):
        await act()
    async with begin() as work:
        assert await work.merchants.all() == []
    assert await entries(begin) == []


async def test_it_is_sent_in_one_statement_with_the_change(
    begin: Begin, postgres_dsn: str
) -> None:
    with acting_as(somebody()):
        async with begin() as work:
            await work.merchants.add(a_merchant())
            await work.commit()

    with psycopg.connect(postgres_dsn) as connection:
        same = connection.execute(
            """
            select merchant.xmin = audit_entry.xmin, merchant.cmin = audit_entry.cmin
            from merchant, audit_entry
            """
        ).fetchall()
    # As many commands before it in the transaction: no round trip is made for it alone.
    assert same == [(True, True)]
