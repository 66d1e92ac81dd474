from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.webhooks.model import (
    RETRY_AFTER_MAX,
    RETRY_DELAYS,
    DeliveryNotPending,
    DeliveryState,
    Try,
)
from tests.builders import NOON, a_delivery, an_endpoint

if TYPE_CHECKING:
    from domain.webhooks.model import (
        Delivery,
    )

FAILED = Try(at=NOON, status=500, detail="")


def after_failures(count: int) -> Delivery:
    delivery = a_delivery()
    for _ in range(count):
        delivery = delivery.record(FAILED)
    return delivery


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_an_accepted_try_delivers(status: int) -> None:
    tried = Try(at=NOON, status=status, detail="")

    delivery = after_failures(1).record(tried)

    assert delivery.state is DeliveryState.DELIVERED
    assert delivery.tries == (FAILED, tried)
    assert delivery.next_try_at is None


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 400, 404, 429, 500])
def test_any_other_answer_is_a_failure_to_be_tried_again(status: int | None) -> None:
    delivery = a_delivery().record(Try(at=NOON, status=status, detail=""))

    assert delivery.state is DeliveryState.PENDING
    assert delivery.next_try_at == NOON + timedelta(seconds=5)


def test_waits_grow_over_more_than_two_days_then_the_delivery_is_parked() -> None:
    waits = [after_failures(count).next_try_at for count in range(1, len(RETRY_DELAYS) + 1)]

    assert waits == [NOON + delay for delay in RETRY_DELAYS]
    assert sum(RETRY_DELAYS, timedelta()) > timedelta(days=2)
    last = after_failures(len(RETRY_DELAYS) + 1)
    assert last.state is DeliveryState.PARKED
    assert last.next_try_at is None
    assert len(last.tries) == 10


def test_a_server_that_is_gone_is_not_asked_again() -> None:
    delivery = a_delivery().record(Try(at=NOON, status=410, detail=""))

    assert delivery.state is DeliveryState.PARKED


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.PARKED])
def test_nothing_is_noted_after_the_end(state: DeliveryState) -> None:
    with pytest.raises(DeliveryNotPending) as refusal:
        a_delivery(state=state).record(FAILED)
    assert refusal.value.state is state


@pytest.mark.parametrize("failures", range(13))
def test_a_redelivery_by_hand_keeps_the_log(failures: int) -> None:
    delivery = a_delivery(tries=(FAILED,) * failures, state=DeliveryState.PARKED)

    again = delivery.redeliver(at=NOON)

    assert again.state is DeliveryState.PENDING
    assert again.next_try_at == NOON
    tried = again.record(FAILED)
    assert len(tried.tries) == failures + 1
    parked = failures >= len(RETRY_DELAYS)
    assert tried.state is (DeliveryState.PARKED if parked else DeliveryState.PENDING)


def test_an_endpoint_hears_of_what_it_wants_while_it_is_on() -> None:
    some = an_endpoint(types=frozenset({"payout.confirmed"}))

    assert an_endpoint().wants("anything")
    assert some.wants("payout.confirmed")
    assert not some.wants("payout.refused")
    assert not an_endpoint(enabled=False).wants("anything")


def test_a_secret_is_not_shown() -> None:
    assert "whsec" not in repr(an_endpoint())


@pytest.mark.parametrize(("jitter", "seconds"), [(0, 5), (50, 5.25), (100, 5.5)])
def test_a_wait_is_up_to_a_tenth_longer(jitter: int, seconds: float) -> None:
    delivery = a_delivery().record(FAILED, jitter=jitter)

    assert delivery.next_try_at == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("status", "asked", "wait"),
    [
        (429, 90, timedelta(seconds=90)),
        (503, 90, timedelta(seconds=90)),
        (503, 1, timedelta(seconds=5)),
        (503, 10**9, RETRY_AFTER_MAX),
        (500, 90, timedelta(seconds=5)),
        (None, 90, timedelta(seconds=5)),
    ],
)
def test_a_server_may_put_a_message_off_within_bounds(
    status: int | None, asked: int, wait: timedelta
) -> None:
    tried = Try(at=NOON, status=status, detail="", retry_after_seconds=asked)

    assert a_delivery().record(tried).next_try_at == NOON + wait
