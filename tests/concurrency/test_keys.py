"""One idempotency key, and many requests at once: one effect, and one answer for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from domain.escrow.model import EscrowActionInProgress
from domain.intents.model import Method
from domain.intents.service import PriceIn
from domain.shared.idempotency import Idempotency, KeyInFlight, KeyReused, RequestReplayed
from tests.builders import USDT, usd
from tests.concurrency.gateway import at_once, with_approval
from tests.concurrency.history import History
from tests.concurrency.linearizable import linearization
from tests.domain.scene import TILL

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from typing import Any, TypeAlias

    from domain.escrow.model import Escrow
    from domain.intents.model import PaymentIntent
    from tests.concurrency.gateway import Gateways
    from tests.concurrency.history import Call

    Kept: TypeAlias = tuple[object, object] | None

SEEDS = range(8)
IN_FLIGHT, REUSED = "in flight", "reused"


def sequential(state: Kept, call: Call) -> Iterable[Kept]:
    """The first request is carried out; the same one is answered as then, others are refused."""
    [fingerprint] = call.arguments
    match call.answer:
        case ("done", answer):
            return [(fingerprint, answer)] if state is None else []
        case ("replayed", answer):
            return [state] if state == (fingerprint, answer) else []
        case "reused":
            return [state] if state is not None and state[0] != fingerprint else []
        case _:
            return [state]


def must_have_met_others(calls: list[Call]) -> None:
    """A request is told to wait only while another one is carried out."""
    for call in calls:
        if call.answer == IN_FLIGHT:
            others = [it for it in calls if it is not call]
            assert any(not it.before(call) and not call.before(it) for it in others), call


async def answered(doing: Coroutine[Any, Any, PaymentIntent | Escrow]) -> object:
    """Carry a request out and say how it ended."""
    try:
        return "done", (await doing).id
    except RequestReplayed as replayed:
        return "replayed", replayed.answer.decode()
    except KeyInFlight:
        return IN_FLIGHT
    except KeyReused:
        return REUSED


def _rendered(result: PaymentIntent | Escrow) -> bytes:
    return result.id.encode()


async def test_one_key_creates_one_intent(gateways: Gateways) -> None:
    for seed in SEEDS:
        gateways.reseed(seed)
        history, key = History(), f"key {seed}"

        async def create(place: int, history: History = history, key: str = key) -> None:
            fingerprint = b"one" if place % 4 else b"other"
            for _ in range(2):
                await gateways.hesitate.wait(times=3)
                doing = gateways.process(place).intents.create(
                    merchant=gateways.merchant,
                    method=Method.ADDRESS,
                    offer=PriceIn(usd(2500), USDT.id),
                    idempotency=Idempotency(key, fingerprint, _rendered),
                )
                await history.call("create", fingerprint, doing=answered(doing))

        await at_once([create(place) for place in range(10)], seed=seed)

        assert linearization(history.calls, initial=None, step=sequential) is not None, history
        must_have_met_others(history.calls)
        made = await gateways.process(0).intents.page(owner=gateways.merchant.id, limit=100)
        assert len(made) == seed + 1


async def test_the_same_key_of_another_merchant_is_another_key(gateways: Gateways) -> None:
    merchants = [gateways.merchant, await with_approval(gateways, till=TILL)]
    histories = [History(), History()]

    async def create(place: int) -> None:
        doing = gateways.process(place).intents.create(
            merchant=merchants[place % 2],
            method=Method.ADDRESS,
            offer=PriceIn(usd(2500), USDT.id),
            idempotency=Idempotency("key", b"one", _rendered),
        )
        await histories[place % 2].call("create", b"one", doing=answered(doing))

    await at_once([create(place) for place in range(12)], seed=0)
    for merchant, history in zip(merchants, histories, strict=True):
        assert linearization(history.calls, initial=None, step=sequential) is not None, history
        must_have_met_others(history.calls)
        assert len(await gateways.process(0).intents.page(owner=merchant.id, limit=10)) == 1


async def test_one_key_asks_the_contract_once(gateways: Gateways, postgres_dsn: str) -> None:
    """With the key, the same release; without it, or for a refund, there is one under way."""
    for seed in SEEDS:
        gateways.reseed(seed)
        intent = await gateways.world.paid_escrow()
        escrow = await gateways.world.escrow(intent)
        history, key = History(), f"key {seed}"

        async def ask(
            place: int,
            intent: PaymentIntent = intent,
            history: History = history,
            key: str = key,
        ) -> None:
            escrows = gateways.process(place).escrows
            verb = escrows.release if place % 5 else escrows.refund
            fingerprint = b"release" if place % 5 else b"refund"
            await gateways.hesitate.wait(times=2)
            doing = verb(
                owner=intent.merchant_id,
                intent_id=intent.id,
                idempotency=Idempotency(key, fingerprint, _rendered),
            )
            await history.call("ask", fingerprint, doing=answered(doing))

        await at_once([ask(place) for place in range(10)], seed=seed)

        assert linearization(history.calls, initial=None, step=sequential) is not None, history
        must_have_met_others(history.calls)
        await _must_be_under_way(gateways, intent)
        assert await _submissions(postgres_dsn, purpose=escrow.id) == 1


async def _must_be_under_way(gateways: Gateways, intent: PaymentIntent) -> None:
    try:
        await gateways.process(0).escrows.release(owner=intent.merchant_id, intent_id=intent.id)
    except EscrowActionInProgress:
        return
    raise AssertionError("nothing was asked")


async def _submissions(dsn: str, *, purpose: str) -> int:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute(
            "select count(*) from submission where purpose = %s", [purpose]
        )
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])
