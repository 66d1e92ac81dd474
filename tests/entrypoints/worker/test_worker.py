from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from domain.shared.jobs import JobState
from domain.shared.kinds import KINDS, Kind
from domain.shared.running import LEASE

if TYPE_CHECKING:
    from datetime import datetime

    import pytest

    from domain.shared.jobs import Job
    from tests.entrypoints.worker.conftest import RunningWorker


def job(running: RunningWorker, name: str) -> Job:
    (found,) = [job for job in running.jobs() if job.name == name]
    return found


def due(running: RunningWorker) -> datetime | None:
    """When the next look at new events is due; None while one is under way."""
    schedule = job(running, "hand_over_events")
    return schedule.run_at if schedule.state is JobState.READY else None


def is_kept_after(running: RunningWorker, at: datetime) -> bool:
    until = job(running, "deliver_webhook").lease_until
    return until is not None and until > at


def test_a_schedule_comes_back_after_its_while(running: RunningWorker) -> None:
    running.wait_for(lambda: (due(running) or running.clock.now()) > running.clock.now())

    assert due(running) == running.clock.advance(seconds=0.5)
    running.wait_for(lambda: (due(running) or running.clock.now()) > running.clock.now())
    assert len({each.dedupe_key for each in running.jobs()}) == len(running.jobs())
    assert all(each.pace for each in running.jobs())


def test_what_happens_is_delivered(running: RunningWorker) -> None:
    running.tell("pi_01", "pi_02")
    running.clock.advance(seconds=1)

    running.wait_for(lambda: len(running.gate.posted) == 2)
    running.stop()

    assert len(set(running.gate.posted)) == 2


def test_a_slow_job_does_not_hold_the_others_up(running: RunningWorker) -> None:
    running.gate.shut()
    running.promise("wd_01")
    running.clock.advance(seconds=1)
    assert running.gate.under_way.acquire(timeout=10)

    before = running.clock.advance(seconds=1)
    running.wait_for(lambda: (due(running) or before) > before)

    assert running.gate.posted == []


def test_it_stops_when_what_is_under_way_has_ended(running: RunningWorker) -> None:
    running.gate.shut()
    running.promise(*(f"wd_{number:02}" for number in range(12)))
    running.clock.advance(seconds=1)
    assert running.gate.under_way.acquire(timeout=10)
    assert running.gate.under_way.acquire(timeout=10)
    running.wait_for(lambda: len(running.worker._in_hand) > 2)

    running.worker.stop()
    running.thread.join(0.3)
    assert running.thread.is_alive()
    running.gate.open()
    running.stop()

    # What it had claimed ahead is put back, for another worker to find at once.
    assert len(running.gate.posted) == 2
    states = Counter(it.state for it in running.kept() if it.name == "deliver_webhook")
    assert states == {JobState.DONE: 2, JobState.READY: 10}


def test_an_outage_of_the_storage_is_waited_out(running: RunningWorker) -> None:
    running.wait_for(lambda: {it.state for it in running.jobs()} == {JobState.READY})
    running.outage.away.set()
    assert running.outage.refused.acquire(timeout=10)
    running.outage.away.clear()

    running.promise("wd_01")
    running.clock.advance(seconds=1)

    running.wait_for(lambda: len(running.gate.posted) == 1)


def test_a_job_whose_end_could_not_be_noted_is_run_again_by_lease(running: RunningWorker) -> None:
    running.gate.shut()
    running.promise("wd_01")
    running.clock.advance(seconds=1)
    assert running.gate.under_way.acquire(timeout=10)
    running.outage.away.set()
    running.gate.open()
    running.wait_for(lambda: running.gate.posted and not running.worker._in_hand)
    running.outage.away.clear()

    assert job(running, "deliver_webhook").state is JobState.RUNNING
    running.clock.advance(seconds=LEASE.total_seconds() + 1)
    running.wait_for(lambda: job(running, "deliver_webhook").state is JobState.DONE)

    assert running.gate.posted == ["wd_01", "wd_01"]


def test_a_job_that_takes_longer_than_a_lease_is_kept_by_its_runner(
    running: RunningWorker,
) -> None:
    running.gate.shut()
    running.promise("wd_01")
    running.clock.advance(seconds=1)
    assert running.gate.under_way.acquire(timeout=10)

    for _ in range(3):
        at = running.clock.advance(seconds=LEASE.total_seconds() + 1)
        running.wait_for(partial(is_kept_after, running, at))
    running.gate.open()
    running.wait_for(lambda: job(running, "deliver_webhook").state is JobState.DONE)

    assert (job(running, "deliver_webhook").claims, len(running.gate.posted)) == (1, 1)


def test_a_handler_that_hangs_is_cancelled(
    running: RunningWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "deliver_webhook", Kind(time_limit=timedelta(milliseconds=50)))
    running.gate.shut()
    running.promise("wd_01")
    running.clock.advance(seconds=1)

    running.wait_for(
        lambda: [it for it in running.jobs() if it.name == "deliver_webhook" and it.last_error]
    )
    assert "TimeoutError" in (job(running, "deliver_webhook").last_error or "")
