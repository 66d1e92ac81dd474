"""Secrets in the database: sealed there, sealed anew, and some that do not open."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import attrs
import psycopg
import pytest

from adapters.postgres.key_ring import KeyRing, SecretUnreadable, key_id
from domain.at_rest.service import AtRestService
from domain.audit.model import Wanted
from domain.shared.actors import Actor, ActorKind, acting_as
from tests.builders import MERCHANT, an_endpoint
from tests.contracts.at_rest import (
    ANSWERS,
    ENDPOINTS,
    SecretsAtRestContract,
    given_secrets,
    must_read_as_given,
)
from tests.contracts.idempotency import LONG, IdempotencyKeysContract, claim
from tests.contracts.webhooks import WebhooksContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from adapters.postgres.storage import PostgresStorage
    from ports.unit_of_work import Begin

    Open = Callable[..., Awaitable[PostgresStorage]]

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
SECRETS = sum(2 if it.former_secret else 1 for it in ENDPOINTS) + len(ANSWERS)
OPERATOR = Actor(kind=ActorKind.OPERATOR, id="maria", action="switchyard secrets reseal")


@pytest.fixture
async def with_ring(storage: PostgresStorage) -> AsyncIterator[Open]:
    """Return what opens the same database as a process with other keys has it."""
    async with AsyncExitStack() as stack:

        async def open_(*keys: bytes, **options: Any) -> PostgresStorage:  # noqa: ANN401 (of any type)
            other = attrs.evolve(storage, ring=KeyRing(keys, **options))
            await other.open()
            stack.push_async_callback(other.close)
            return other

        yield open_


class Sealed:
    @pytest.fixture
    async def begin(self, with_ring: Open) -> Begin:
        return (await with_ring(NEW)).begin


class TestSealedWebhooks(Sealed, WebhooksContract): ...


class TestSealedAnswers(Sealed, IdempotencyKeysContract): ...


class TestSealedAtRest(Sealed, SecretsAtRestContract): ...


async def kinds(storage: PostgresStorage) -> dict[str | None, int]:
    """Return how many secrets were sealed by each key, as the rows themselves say."""
    found: dict[str | None, int] = {}
    for (_, key), count in (await AtRestService(storage.begin).standing()).kinds.items():
        found[key] = found.get(key, 0) + count
    return found


def execute(dsn: str, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


async def test_nothing_lies_in_clear(with_ring: Open, postgres_dsn: str) -> None:
    await given_secrets((await with_ring(NEW)).begin)

    rows = execute(postgres_dsn, "select secret, former_secret from webhook_endpoint")
    held = [it for row in rows for it in row if it is not None]
    assert all(it.startswith(f"sealed:1:{key_id(NEW)}:") for it in held)
    assert len(held) == len(set(held)) == SECRETS - len(ANSWERS)
    bodies = [body for (body,) in execute(postgres_dsn, "select body from idempotency_key")]
    assert all(body.startswith(f"sealed:1:{key_id(NEW)}:".encode()) for body in bodies)
    assert not [body for body in bodies if b"number" in body]


async def test_what_lay_in_clear_before_is_read_and_sealed(
    storage: PostgresStorage, with_ring: Open
) -> None:
    await given_secrets(storage.begin)
    first = await with_ring(OLD)

    await must_read_as_given(first.begin)
    assert await kinds(first) == {None: SECRETS}
    done = await AtRestService(first.begin).reseal()

    assert (done.resealed, done.outdated) == (SECRETS, 0)
    assert await kinds(first) == {key_id(OLD): SECRETS}
    await must_read_as_given(first.begin)


async def test_after_a_rotation_the_old_key_may_go(with_ring: Open) -> None:
    await given_secrets((await with_ring(OLD)).begin)
    both = await with_ring(NEW, OLD)
    await must_read_as_given(both.begin)

    assert (await AtRestService(both.begin).standing()).outdated == SECRETS
    assert (await AtRestService(both.begin).reseal()).resealed == SECRETS
    assert (await AtRestService(both.begin).reseal()).resealed == 0

    await must_read_as_given((await with_ring(NEW)).begin)


async def test_resealing_goes_on_where_it_was_interrupted(with_ring: Open) -> None:
    await given_secrets((await with_ring(OLD)).begin)
    both = await with_ring(NEW, OLD)
    done, after = 0, None
    for _ in range(2):
        async with both.begin() as work:
            batch = await work.at_rest.reseal(after=after, limit=1)
            await work.commit()
        done, after = done + batch.resealed, batch.next
    async with both.begin() as work:
        assert (await work.at_rest.reseal(after=after, limit=1)).resealed == 1
        # And is killed before the commit.

    assert done == 3, "the second endpoint has two"
    assert (await kinds(both))[key_id(OLD)] == SECRETS - done
    await must_read_as_given(both.begin)
    assert (await AtRestService(both.begin).reseal()).resealed == SECRETS - done
    await must_read_as_given((await with_ring(NEW)).begin)


async def test_small_batches_leave_nothing_out(with_ring: Open) -> None:
    await given_secrets((await with_ring(OLD)).begin)
    both = await with_ring(NEW, OLD)
    resealed, after = 0, None
    for _ in range(20):
        async with both.begin() as work:
            batch = await work.at_rest.reseal(after=after, limit=2)
            await work.commit()
        resealed += batch.resealed
        if (after := batch.next) is None:
            break

    assert (after, resealed) == (None, SECRETS)
    assert await kinds(both) == {key_id(NEW): SECRETS}


async def test_resealing_and_changes_wait_for_each_other(with_ring: Open) -> None:
    await given_secrets((await with_ring(OLD)).begin)
    both, endpoint = await with_ring(NEW, OLD), ENDPOINTS[0]
    changed = attrs.evolve(endpoint, secret="whsec_bmV3ZXI=")
    async with both.begin() as work:
        await work.webhooks.lock_endpoint(endpoint.id)
        resealing = asyncio.create_task(AtRestService(both.begin).reseal())
        await asyncio.sleep(0.05)
        await work.webhooks.save_endpoint(changed)
        await work.commit()
    await resealing

    async with both.begin() as work:
        assert await work.webhooks.get_endpoint(endpoint.id) == changed
    assert await kinds(both) == {key_id(NEW): SECRETS}


async def test_resealing_is_recorded_without_a_secret(with_ring: Open, postgres_dsn: str) -> None:
    await given_secrets((await with_ring(OLD)).begin)
    both = await with_ring(NEW, OLD)
    with acting_as(OPERATOR):
        await AtRestService(both.begin).reseal()

    async with both.begin() as work:
        found = await work.audit.page(Wanted(actor_id="maria"), before=None, limit=9)
    details = {it.entry.detail for it in found}
    assert details == {f"{count} secrets sealed by {key_id(NEW)}" for count in (4, 3)}
    assert {id for it in found for id in it.entry.objects} == {it.id for it in ENDPOINTS}
    logged = str(execute(postgres_dsn, "select * from audit_entry"))
    assert "whsec" not in logged
    assert "sealed:1" not in logged


async def test_all_can_be_put_back_in_clear(storage: PostgresStorage, with_ring: Open) -> None:
    await given_secrets((await with_ring(NEW)).begin)
    leaving = await with_ring(NEW, seals=False)

    assert (await AtRestService(leaving.begin).reseal()).resealed == SECRETS
    await must_read_as_given(storage.begin)


@pytest.mark.parametrize(
    "moved",
    [
        "(select secret from webhook_endpoint where id = 'we_03')",
        "former_secret",
    ],
    ids=["from another row", "from another column"],
)
async def test_a_secret_that_was_moved_does_not_open(
    with_ring: Open, postgres_dsn: str, moved: str
) -> None:
    sealing = await with_ring(NEW)
    await given_secrets(sealing.begin)
    execute(postgres_dsn, f"update webhook_endpoint set secret = {moved} where id = 'we_02'")  # noqa: S608 (ours)

    async with sealing.begin() as work:
        found = await work.webhooks.endpoints(owner=MERCHANT)
    assert [(it.id, it.can_sign) for it in found] == [("we_01", True), ("we_02", False)]
    done = await AtRestService(sealing.begin).reseal()
    assert done.outdated == 0, "by which key it was sealed can be seen, and no more"


async def test_an_answer_that_was_moved_does_not_open(with_ring: Open, postgres_dsn: str) -> None:
    sealing = await with_ring(NEW)
    await given_secrets(sealing.begin)
    execute(
        postgres_dsn,
        "update idempotency_key set body = (select body from idempotency_key where key = 'k-1')"
        " where key = 'k-0'",
    )

    async with sealing.begin() as work:
        with pytest.raises(SecretUnreadable, match=rf"of {MERCHANT}/k-0"):
            await claim(work, "k-0", life=LONG)


class TestWithoutTheKey:
    async def test_one_endpoint_is_left_out_and_its_secret_kept(
        self, with_ring: Open, postgres_dsn: str
    ) -> None:
        await given_secrets((await with_ring(OLD)).begin)
        both, poor = await with_ring(NEW, OLD), await with_ring(NEW)
        async with both.begin() as work:
            for endpoint in ENDPOINTS[1:]:
                await work.webhooks.lock_endpoint(endpoint.id)
                await work.webhooks.save_endpoint(endpoint)
            await work.commit()
        before = execute(postgres_dsn, "select secret from webhook_endpoint where id = 'we_01'")

        async with poor.begin() as work:
            found = await work.webhooks.lock_endpoints([it.id for it in ENDPOINTS])
            assert [it.can_sign for it in found] == [False, True, True]
            await work.webhooks.save_endpoint(attrs.evolve(found[0], silences=3))
            await work.commit()

        after = execute(postgres_dsn, "select secret from webhook_endpoint where id = 'we_01'")
        assert after == before
        async with both.begin() as work:
            whole = await work.webhooks.get_endpoint(ENDPOINTS[0].id)
        assert whole == attrs.evolve(ENDPOINTS[0], silences=3)

    async def test_what_does_not_open_is_named_and_left(self, with_ring: Open) -> None:
        await given_secrets((await with_ring(OLD)).begin)
        poor = await with_ring(NEW)
        before = await kinds(poor)

        done = await AtRestService(poor.begin).reseal()

        assert (done.resealed, done.outdated, len(done.unreadable)) == (0, SECRETS, SECRETS)
        assert f"webhook_endpoint.secret of we_01, sealed by the key {key_id(OLD)}" in str(
            done.unreadable
        )
        assert "whsec" not in str(done)
        assert await kinds(poor) == before

    async def test_an_answer_is_not_taken_for_missing(self, with_ring: Open) -> None:
        await given_secrets((await with_ring(OLD)).begin)

        async with (await with_ring(NEW)).begin() as work:
            with pytest.raises(SecretUnreadable):
                await claim(work, "k-0", life=LONG)

    async def test_a_new_secret_makes_it_whole(self, with_ring: Open) -> None:
        await given_secrets((await with_ring(OLD)).begin)
        poor = await with_ring(NEW)
        rotated = an_endpoint("we_01", secret="whsec_bmV3ZXI=")
        async with poor.begin() as work:
            await work.webhooks.lock_endpoint(rotated.id)
            await work.webhooks.save_endpoint(rotated)
            await work.commit()

        async with poor.begin() as work:
            assert await work.webhooks.get_endpoint(rotated.id) == rotated


async def test_keys_that_another_process_has_are_learnt(with_ring: Open) -> None:
    learning = await with_ring(OLD, reread=lambda: [NEW, OLD])
    await given_secrets((await with_ring(NEW, OLD)).begin)

    await must_read_as_given(learning.begin)
