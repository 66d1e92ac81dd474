from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest
from httpx2 import AsyncClient
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from config.bootstrap import ApiConsole
from config.operators import OperatorSetting, operators
from domain.audit.model import Outcome, Wanted
from domain.audit.service import AuditService
from domain.merchants.scopes import Scope
from domain.operators.model import OperatorScope
from entrypoints.http.app import create_app
from tests.entrypoints.http.document import Document
from tests.entrypoints.http.gateway import Gateway, api_services, client_of, refusal, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.entrypoints.http.gateway import Json

MARIA, PAUL = "sy_oper_maria's token in tests", "sy_oper_paul's token in tests"
BOTH = (OperatorScope.READ, OperatorScope.WRITE)


def setting(name: str, token: str, *scopes: OperatorScope) -> OperatorSetting:
    return OperatorSetting(name, hashlib.sha256(token.encode()).hexdigest(), scopes)


KNOWN = operators([setting("maria", MARIA, *BOTH), setting("paul", PAUL, OperatorScope.READ)])


@attrs.frozen
class Console:
    gateway: Gateway
    document: Document
    maria: AsyncClient
    paul: AsyncClient
    ada: AsyncClient
    audit: AuditService

    async def die(self, number: int, name: str = "deliver_webhook") -> list[str]:
        """Let jobs die; return their ids."""
        begin, now = self.gateway.storage.begin, self.gateway.clock.now()
        async with begin() as work:
            for _ in range(number):
                await work.jobs.enqueue(name, arguments={"delivery": "dlv_1"})
            await work.commit()
        async with begin() as work:
            jobs = await work.jobs.claim(at=now, limit=number, lease=timedelta(minutes=1))
            for job in jobs:
                await work.jobs.bury(job, at=now, error="gone", traceback="in line 1")
            await work.commit()
        return [job.id for job in jobs]

    async def states(self) -> dict[str, str]:
        page = told(await self.maria.get("/v1/ops/jobs?limit=100"), 200)
        return {job["id"]: job["state"] for job in page["data"]}


@asynccontextmanager
async def opened(gateway: Gateway) -> AsyncIterator[Console]:
    services = attrs.evolve(
        api_services(gateway.services),
        console=ApiConsole(operators=KNOWN, jobs=gateway.services.jobs()),
    )
    app = create_app(services)
    document = Document.of(app)

    def client(token: str) -> AsyncClient:
        return client_of(app, document, headers={"Authorization": f"Bearer {token}"})

    async with client(MARIA) as maria, client(PAUL) as paul, client(gateway.ada.key) as ada:
        yield Console(gateway, document, maria, paul, ada, services.audit)


@pytest.fixture
async def console(gateway: Gateway) -> AsyncIterator[Console]:
    async with opened(gateway) as console:
        yield console


@pytest.fixture
async def memory_console(memory_gateway: Gateway) -> AsyncIterator[Console]:
    async with opened(memory_gateway) as console:
        yield console


async def test_queues_say_how_they_stand(console: Console) -> None:
    await console.die(2)
    listed = told(await console.paul.get("/v1/ops/queues"), 200)["data"]
    assert [each["queue"] for each in listed] == ["chains", "money", "upkeep", "webhooks"]
    assert {each["queue"]: each["dead"] for each in listed}["webhooks"] == 2


async def test_jobs_are_listed_page_by_page_and_filtered(console: Console) -> None:
    dead = await console.die(3)
    await console.die(1, "seal_books")
    first = told(await console.maria.get("/v1/ops/jobs?queue=webhooks&limit=2"), 200)
    assert first["has_more"]
    cursor = first["next_cursor"]
    path = f"/v1/ops/jobs?queue=webhooks&limit=2&cursor={cursor}"
    rest = told(await console.maria.get(path), 200)
    assert not rest["has_more"]
    assert [job["id"] for job in (*first["data"], *rest["data"])] == sorted(dead, reverse=True)
    assert told(await console.maria.get("/v1/ops/jobs?state=ready"), 200)["data"] == []


async def test_a_job_is_shown_with_its_error_and_its_log(console: Console) -> None:
    [job] = await console.die(1)
    shown = told(await console.paul.get(f"/v1/ops/jobs/{job}"), 200)
    assert (shown["state"], shown["last_error"]) == ("dead", "gone")
    assert shown["arguments"] == {"delivery": "dlv_1"}
    [note] = shown["log"]
    assert (note["what"], note["error"], note["traceback"]) == ("buried", "gone", "in line 1")
    assert refusal(await console.paul.get("/v1/ops/jobs/job_none")) == (404, "not-found")


async def test_a_dead_job_is_retried_once_however_often_it_is_asked_for(
    console: Console,
) -> None:
    [job] = await console.die(1)
    path = f"/v1/ops/jobs/{job}/retry"
    first = told(await console.maria.post(path, headers={"X-Request-Id": "r1"}), 200)
    assert told(await console.maria.post(path), 200) == first
    assert (first["state"], first["attempts"]) == ("ready", 0)
    assert [note["what"] for note in first["log"]] == ["buried", "retried"]
    [entry] = (await console.maria.get("/v1/ops/audit_log")).json()["data"]
    assert entry["actor"] == {"kind": "operator", "id": "maria"}
    assert (entry["objects"], entry["request_id"], entry["outcome"]) == ([job], "r1", "done")
    assert refusal(await console.maria.post("/v1/ops/jobs/job_none/retry")) == (404, "not-found")


async def test_a_job_that_is_done_is_not_retried(console: Console) -> None:
    begin, now = console.gateway.storage.begin, console.gateway.clock.now()
    async with begin() as work:
        await work.jobs.enqueue("seal_books")
        await work.commit()
    async with begin() as work:
        [job] = await work.jobs.claim(at=now, limit=1, lease=timedelta(minutes=1))
        await work.jobs.complete(job, at=now)
        await work.commit()
    response = await console.maria.post(f"/v1/ops/jobs/{job.id}/retry")
    assert refusal(response) == (409, "job-not-retried")


async def test_dead_jobs_of_a_queue_are_retried_so_many_at_a_time(console: Console) -> None:
    dead = await console.die(3)
    [other] = await console.die(1, "seal_books")
    asked = {"queue": "webhooks", "limit": 2}
    answers = [
        told(await console.maria.post("/v1/ops/jobs/retry", json=asked), 200) for _ in range(3)
    ]
    assert answers == [
        {"changed": 2, "may_be_more": True},
        {"changed": 1, "may_be_more": False},
        {"changed": 0, "may_be_more": False},
    ]
    assert await console.states() == {**dict.fromkeys(dead, "ready"), other: "dead"}


async def test_a_queue_is_paused_since_it_was_and_resumed(console: Console) -> None:
    first = told(await console.maria.post("/v1/ops/queues/money/pause"), 200)
    console.gateway.clock.advance(minutes=1)
    assert told(await console.maria.post("/v1/ops/queues/money/pause"), 200) == first
    assert first["paused_since"] is not None
    for _ in range(2):
        shown = told(await console.maria.post("/v1/ops/queues/money/resume"), 200)
        assert shown["paused_since"] is None
    entries = (await console.maria.get("/v1/ops/audit_log?object=money")).json()["data"]
    assert {(entry["actor"]["id"], entry["action"]) for entry in entries} == {
        ("maria", "POST /v1/ops/queues/{queue}/pause"),
        ("maria", "POST /v1/ops/queues/{queue}/resume"),
    }


async def test_what_ended_long_ago_is_cleaned_so_many_at_a_time(console: Console) -> None:
    await console.die(3)
    console.gateway.clock.advance(hours=1)
    [young] = await console.die(1)
    asked = {"state": "dead", "older_than_seconds": 1800, "limit": 2}
    path = "/v1/ops/queues/webhooks/clean"
    counts = [told(await console.maria.post(path, json=asked), 200)["changed"] for _ in range(3)]
    assert counts == [2, 1, 0]
    assert await console.states() == {young: "dead"}


POSTS: dict[str, Json | None] = {
    "/v1/ops/jobs/retry": {"queue": "money"},
    "/v1/ops/jobs/job_1/retry": None,
    "/v1/ops/queues/money/pause": None,
    "/v1/ops/queues/money/resume": None,
    "/v1/ops/queues/money/clean": {"state": "done", "older_than_seconds": 0},
}


@pytest.mark.parametrize("path", POSTS)
async def test_who_may_only_look_changes_nothing(memory_console: Console, path: str) -> None:
    response = await memory_console.paul.post(path, json=POSTS[path])
    assert refusal(response) == (403, "insufficient-scope")
    assert response.json()["scope"] == "ops:write"


@pytest.mark.parametrize("path", [*POSTS, "/v1/ops/queues", "/v1/ops/jobs", "/v1/ops/jobs/job_1"])
async def test_no_merchants_key_opens_the_console(memory_console: Console, path: str) -> None:
    verb = "POST" if path in POSTS else "GET"
    response = await memory_console.ada.request(verb, path, json=POSTS.get(path))
    assert refusal(response) == (401, "unauthenticated")


async def test_no_operators_token_opens_what_is_a_merchants(memory_console: Console) -> None:
    assert refusal(await memory_console.maria.get("/v1/events")) == (401, "unauthenticated")


def test_no_scope_of_merchants_is_one_of_operators() -> None:
    assert {*Scope}.isdisjoint(OperatorScope)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer sy_oper_x", f"Basic {MARIA}"])
async def test_an_unknown_token_is_refused(memory_console: Console, header: str) -> None:
    sent = {"Authorization": header}
    response = await memory_console.maria.get("/v1/ops/jobs", headers=sent)
    assert refusal(response) == (401, "unauthenticated")


async def test_without_operators_there_is_no_console(memory_gateway: Gateway) -> None:
    sent = {"Authorization": f"Bearer {MARIA}"}
    response = await memory_gateway.ada.http.get("/v1/ops/queues", headers=sent)
    assert refusal(response) == (404, "not-found")


async def test_the_console_is_in_the_document(memory_console: Console) -> None:
    content = memory_console.document.content
    OPENAPI_31_VALIDATOR.validate(content)
    scopes = {
        operation["x-required-scope"]
        for path, operations in content["paths"].items()
        for operation in operations.values()
        if path.startswith("/v1/ops/")
    }
    assert scopes == {*OperatorScope}


async def test_whatever_an_operator_does_is_recorded(memory_console: Console) -> None:
    [job] = await memory_console.die(1)
    audit = memory_console.audit
    bodies = {"clean": {"state": "dead", "older_than_seconds": 0}, "retry": {"queue": "money"}}
    asked: dict[str, tuple[str, int]] = {}
    for path, by_method in memory_console.document.content["paths"].items():
        for method, described in by_method.items():
            if not described["x-required-scope"].startswith("ops:"):
                continue
            name = described["operationId"]
            body = bodies[path.rpartition("/")[2]] if "requestBody" in described else None
            for number, client in enumerate((memory_console.maria, memory_console.paul)):
                response = await client.request(
                    method,
                    path.format(queue="money", job=job),
                    json=body,
                    headers={"X-Request-Id": f"{name}_{number}"},
                )
                asked[f"{name}_{number}"] = (f"{method.upper()} {path}", response.status_code)
    await audit.flush()
    entries = {it.entry.request_id: it.entry for it in await audit.page(Wanted(), limit=1000)}

    assert len(asked) > 14
    assert {status for _, status in asked.values()} >= {200, 403}
    for request_id, (action, status) in asked.items():
        entry = entries[request_id]
        who = "maria" if request_id.endswith("_0") else "paul"
        assert (entry.action, entry.actor_id) == (action, who)
        assert entry.outcome is (Outcome.DONE if status < 400 else Outcome.REFUSED), request_id
