"""One merchant's events, written, read and handed over by many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from domain.shared.ids import MerchantId
from tests.builders import an_event
from tests.concurrency.gateway import Gateways, at_once
from tests.concurrency.history import History
from tests.concurrency.linearizable import linearization

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping
    from typing import Any

    from domain.shared.events import RecordedEvent
    from tests.concurrency.history import Call
    from tests.domain.services import Services

SEEDS = range(6)
WRITERS, READERS, UNITS = 8, 6, 4
ALL = 10_000


def sequential(length: int, call: Call) -> Iterable[int]:
    """A log: who writes has the next numbers, who reads after a number has all that follow."""
    numbers = call.answer
    assert isinstance(numbers, tuple)
    if call.verb == "write":
        expected = tuple(range(length + 1, length + 1 + len(numbers)))
        return [length + len(numbers)] if numbers == expected else []
    after = call.arguments[1]
    assert isinstance(after, int)
    return [length] if numbers == tuple(range(after + 1, length + 1)) else []


def _page(shown: Sequence[RecordedEvent]) -> tuple[tuple[int, str], ...]:
    return tuple((recorded.sequence, recorded.event.object_id) for recorded in shown)


@attrs.frozen
class Everybody:
    """The tasks of one round, half of them in each process; each round has its own merchants."""

    gateways: Gateways
    merchants: Sequence[MerchantId]
    history: History = attrs.field(factory=History)

    async def write(self, number: int) -> None:
        """Tell, in one unit of work after the other, of nothing up to two things of each."""
        for unit in range(UNITS):
            told = tuple(
                (merchant, f"pi_{number}.{unit}.{place}")
                for at, merchant in enumerate(self.merchants)
                for place in range((number + unit + at) % 3)
            )
            doing = self._record(self.gateways.process(number), told)
            await self.history.call("write", told, doing=doing)

    async def _record(self, process: Services, told: Iterable[tuple[MerchantId, str]]) -> None:
        await self.gateways.hesitate.wait(times=2)
        async with process.begin() as work:
            for merchant, object_id in told:
                await work.events.record(an_event(object_id, merchant_id=merchant))
            await self.gateways.hesitate()
            await work.commit()

    async def read(self, number: int) -> None:
        """Page through the log as a merchant does: from the last number on that was shown."""
        merchant = self.merchants[number // 2 % 2]
        process, after = self.gateways.process(number), 0
        for _ in range(UNITS * 3):
            await self.gateways.hesitate.wait(times=2)
            doing = process.webhooks.feed(owner=merchant, after=after, limit=ALL)
            shown = await self.history.call("read", merchant, after, doing=doing, answer=_page)
            assert isinstance(shown, tuple)
            after = max((after, *(sequence for sequence, _ in shown)))

    def of(self, merchant: MerchantId, log: Mapping[str, int]) -> list[Call]:
        """Return the calls that concern a merchant, with the numbers they were about."""
        calls = []
        for call in self.history.calls:
            if call.verb == "write":
                [told] = call.arguments
                assert isinstance(told, tuple)
                numbers = tuple(log[it] for owner, it in told if owner == merchant)
                if numbers:
                    calls.append(attrs.evolve(call, answer=numbers))
            elif call.arguments[0] == merchant:
                assert isinstance(call.answer, tuple)
                # What was shown under a number then is what the log has under it for good.
                assert all(log[object_id] == number for number, object_id in call.answer)
                numbers = tuple(number for number, _ in call.answer)
                calls.append(attrs.evolve(call, answer=numbers))
        return calls


async def test_events_are_numbered_as_they_are_committed_and_no_reader_skips_one(
    gateways: Gateways,
) -> None:
    for seed in SEEDS:
        gateways.reseed(seed)
        merchants = [MerchantId(f"mer_{seed}{name}") for name in "ab"]
        everybody = Everybody(gateways, merchants)
        tasks: list[Coroutine[Any, Any, object]] = [
            *(everybody.write(number) for number in range(WRITERS)),
            *(everybody.read(number) for number in range(READERS)),
        ]

        await at_once(tasks, seed=seed)

        for merchant in merchants:
            webhooks = gateways.process(0).webhooks
            events = await webhooks.feed(owner=merchant, after=0, limit=ALL)
            assert [it.sequence for it in events] == list(range(1, len(events) + 1))
            log = {it.event.object_id: it.sequence for it in events}
            calls = everybody.of(merchant, log)
            assert len(log) == sum(len(_told(it)) for it in calls if it.verb == "write")
            assert linearization(calls, initial=0, step=sequential) is not None, calls


def _told(call: Call) -> tuple[object, ...]:
    assert isinstance(call.answer, tuple)
    return call.answer


async def test_an_event_is_handed_over_once_to_each_endpoint_that_wants_it(
    gateways: Gateways,
) -> None:
    merchants = [MerchantId("mer_a"), MerchantId("mer_b")]
    webhooks = gateways.process(0).webhooks
    wanted = {
        merchant: [
            (await webhooks.register(owner=merchant, url="https://shop.example/all")).id,
            (
                await webhooks.register(
                    owner=merchant,
                    url="https://shop.example/some",
                    types=frozenset({an_event().type}),
                )
            ).id,
        ]
        for merchant in merchants
    }

    async def hand_over(number: int) -> None:
        for _ in range(UNITS * 2):
            await gateways.hesitate.wait(times=2)
            await gateways.process(number).webhooks.hand_over(limit=5)

    for seed in SEEDS:
        gateways.reseed(seed)
        everybody = Everybody(gateways, merchants)
        tasks: list[Coroutine[Any, Any, object]] = [
            *(everybody.write(number) for number in range(WRITERS)),
            *(hand_over(number) for number in range(6)),
        ]
        await at_once(tasks, seed=seed)

    while await webhooks.hand_over():
        continue
    for merchant in merchants:
        events = await webhooks.feed(owner=merchant, after=0, limit=ALL)
        assert events
        async with gateways.process(0).begin() as work:
            for recorded in events:
                made = await work.webhooks.deliveries(event_id=recorded.id)
                assert Counter(it.endpoint_id for it in made) == Counter(wanted[merchant])
