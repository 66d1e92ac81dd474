"""Jobs as the settings have them: their queues, their paces, and how they come to threads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import tomli_w

from config.bootstrap import worker
from config.jobs import handlers, schedules
from config.settings import Worker, WrongSettings, load, structure
from domain.shared.kinds import KINDS, Queue
from domain.shared.money import ChainId
from domain.shared.pace import Cron

if TYPE_CHECKING:
    from pathlib import Path

RABBIT = {"transport": "rabbitmq", "rabbitmq_url": "amqp://user:secret@127.0.0.1/"}


@pytest.fixture
def told(raw: dict[str, Any]) -> dict[str, Any]:
    return raw | {"deployment": "testing"}


def of_worker(told: dict[str, Any], **settings: object) -> Worker:
    return structure(told | {"worker": settings}).worker


async def test_every_kind_of_job_is_declared_and_can_be_done(told: dict[str, Any]) -> None:
    known = handlers(worker(structure(told)))
    come_back = {
        schedule.name for schedule in schedules(Worker(), [ChainId("eip155:1")], with_stars=True)
    }

    assert set(KINDS) == set(known)
    assert come_back < set(known)


def test_every_schedule_has_a_setting() -> None:
    settings = Worker()
    paces = {field.name for field in attrs.fields(Worker) if field.name.endswith("_every_seconds")}
    come_back = schedules(settings, [ChainId("eip155:1")], with_stars=True)
    kinds = {schedule.name for schedule in come_back}

    # Watching and sending go at one pace, so do those that seal, and the six that throw old
    # things away.
    assert len(kinds) == len(paces) + 7


def test_a_schedule_is_given_another_pace_by_name(told: dict[str, Any]) -> None:
    settings = of_worker(
        told,
        time_zone="Europe/Berlin",
        schedules={"run_settlements": "0 6 * * mon", "watch_chain": 2.5},
    )
    found = {each.name: each.every for each in schedules(settings, [ChainId("eip155:1")])}

    assert found["run_settlements"] == Cron("0 6 * * mon", "Europe/Berlin")
    assert found["watch_chain"] == timedelta(seconds=2.5)
    assert found["prune_jobs"] == timedelta(hours=1)


def test_a_pace_for_what_does_not_come_back_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(WrongSettings, match=r"schedules\.deliver_webhook"):
        schedules(of_worker(told, schedules={"deliver_webhook": 5}), [])


def test_a_worker_may_serve_some_queues(told: dict[str, Any]) -> None:
    assert of_worker(told).queues == ()
    assert of_worker(told, queues=["webhooks"]).queues == (Queue.WEBHOOKS,)


def test_queues_may_be_named_by_the_environment(tmp_path: Path, told: dict[str, Any]) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(tomli_w.dumps(told))
    settings = load(file, environment={"SWITCHYARD_WORKER__QUEUES": "money,chains"})

    assert settings.worker.queues == (Queue.MONEY, Queue.CHAINS)


def test_a_url_of_rabbitmq_is_not_told(told: dict[str, Any]) -> None:
    settings = of_worker(told, **RABBIT)

    assert settings.rabbitmq_url == RABBIT["rabbitmq_url"]
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"queues": ["letters"]}, "'letters' is not a valid Queue"),
        ({"queues": 3}, "a list of queues"),
        ({"transport": "pigeon"}, "transport"),
        ({"transport": "rabbitmq"}, "rabbitmq_url is needed"),
        ({"rabbitmq_url": "amqp://127.0.0.1/"}, "rabbitmq_url is needed"),
        ({**RABBIT, "rabbitmq_url": "http://127.0.0.1/"}, "amqp://"),
        ({"schedules": {"run_settlements": "hourly"}}, "run_settlements.*five fields"),
        ({"schedules": {"run_settlements": 0}}, "more than 0"),
        ({"schedules": {"run_settlements": True}}, "expected a number"),
        (
            {"schedules": {"run_settlements": "0 0 * * *"}, "time_zone": "Mars/Olympus"},
            "no such time zone",
        ),
    ],
)
def test_what_makes_no_sense_is_told(
    told: dict[str, Any], settings: dict[str, object], why: str
) -> None:
    with pytest.raises(WrongSettings, match=why):
        of_worker(told, **settings)
