"""The document: valid by itself, and kept by the application whatever schemathesis sends."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import PositiveDataAcceptanceConfig, SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from domain.customers.model import DepositStatus
from domain.destinations.model import ChangeState
from domain.escrow.model import EscrowAction, EscrowState
from domain.intents.model import IntentStatus, Method, PaymentException
from domain.stars.model import PaymentState
from entrypoints.http.pagination import After, Cursors
from entrypoints.http.refusals import REFUSALS
from tests.entrypoints.http.gateway import SETTINGS, Gateway, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send

    from tests.entrypoints.http.gateway import Json

ACCEPTED = PositiveDataAcceptanceConfig().expected_statuses
BUSINESS_REFUSALS = {"400": {"invalid-cursor"}, "422": {
    "unknown-asset", "malformed-asset", "not-a-currency", "asset-not-accepted",
    "method-not-offered",
    "price-out-of-range", "unclear-offer", "quote-expired", "idempotency-key-reused",
    "invoice-malformed", "expiry-out-of-range", "malformed-network",
    "chain-not-served", "address-refused", "own-address", "url-malformed", "asset-of-other-chain",
    "unknown-chain", "too-much-metadata",
}}  # fmt: skip
"""What may be said of a request that is as the document asks."""


async def test_the_document_is_valid_openapi(memory_gateway: Gateway) -> None:
    document = memory_gateway.document.content
    assert document["openapi"].startswith("3.1.")
    OPENAPI_31_VALIDATOR.validate(document)
    names = [
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    ]
    assert len(names) == len(set(names)) > 16


async def test_every_reference_leads_somewhere(memory_gateway: Gateway) -> None:
    document = memory_gateway.document.content
    references = set(references_in(document))
    assert len(references) > 20
    for reference in references:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    components = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert components - references == set()


async def test_every_refusal_of_the_table_is_in_the_document(memory_gateway: Gateway) -> None:
    told_of = {
        slug
        for operations in memory_gateway.document.content["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for content in [response.get("content", {})]
        for slug in content.get("application/problem+json", {}).get("examples", {})
    }
    ours = {problem.slug for problem in REFUSALS.rows.values()}
    # The storage can fail under any operation: it is among what "default" stands for.
    assert ours - told_of == {"storage-unavailable"}


async def test_words_are_those_of_the_domain(memory_gateway: Gateway) -> None:
    schemas = memory_gateway.document.content["components"]["schemas"]
    enums = (
        *(IntentStatus, PaymentException, Method, EscrowState, EscrowAction, PaymentState),
        *(DepositStatus, ChangeState),
    )
    for words in enums:
        assert schemas[words.__name__]["enum"] == [word.value for word in words]


@pytest.mark.parametrize("named", [False, True], ids=["any objects", "objects that exist"])
async def test_the_application_keeps_the_document(memory_gateway: Gateway, *, named: bool) -> None:
    objects = await some_objects(memory_gateway)
    run = Run(memory_gateway, objects if named else {})
    await asyncio.to_thread(run.play)
    assert run.failures == []
    assert run.unfounded == []
    assert run.statuses >= ({200, 201, 202, 400, 409, 422} if named else {200, 201, 404, 405, 401})
    assert list(await memory_gateway.services.books().check()) == []


async def some_objects(gateway: Gateway) -> dict[str, str]:
    """Let there be something of everything; return an escrow's intent and a payout."""
    first = await gateway.held()
    path = f"/v1/payment_intents/{first['id']}/escrow/release"
    told(await gateway.ada.http.post(path), 202)
    await gateway.send()
    await gateway.services.settlements().run()
    await gateway.send()
    held = await gateway.held()
    [settlement] = (await gateway.ada.get("/v1/settlements"))["data"]
    return {"path.intent": held["id"], "path.payout": settlement["payout"]}


@attrs.define
class Run:
    """One run of schemathesis over the whole document, all checks on, the same every time."""

    gateway: Gateway
    objects: dict[str, str]
    failures: list[str] = attrs.field(factory=list, init=False)
    unfounded: list[str] = attrs.field(factory=list, init=False)
    """Requests that were as the document asks, and refused without a reason of business."""
    statuses: set[int] = attrs.field(factory=set, init=False)

    def play(self) -> None:
        cursors = Cursors(key=SETTINGS.http.cursor_key.encode(), listing="payment_intents")
        moments = st.datetimes(timezones=st.just(UTC))
        tokens = st.builds(lambda at: cursors.seal(After(created_at=at, id="pi_1")), moments)
        schemathesis.openapi.format("cursor", tokens)
        schema = schemathesis.openapi.from_asgi("/openapi.json", self._app, config=self._config())
        for event in from_schema(schema).execute():
            if isinstance(event, events.NonFatalError):
                self.failures.append(f"{event.label}: {event.value!r}")
            elif isinstance(event, events.FatalError):
                self.failures.append(repr(event.exception))
            elif isinstance(event, events.ScenarioFinished):
                self._look_at(event)

    def _config(self) -> SchemathesisConfig:
        config = SchemathesisConfig(seed=1)
        project = config.projects.default
        project.headers = {"Authorization": f"Bearer {self.gateway.ada.key}"}
        project.parameters = dict(self.objects)
        project.generation.deterministic = True
        project.generation.database = "none"
        project.generation.max_examples = 25
        # Refusals of good data are looked at one by one below.
        statuses = [*ACCEPTED, *BUSINESS_REFUSALS]
        project.checks.positive_data_acceptance.expected_statuses = statuses
        return config

    def _look_at(self, event: events.ScenarioFinished) -> None:
        recorder = event.recorder
        for check in itertools.chain.from_iterable(recorder.checks.values()):
            if check.failure_info is not None:
                failure, sample = check.failure_info.failure, check.failure_info.code_sample
                self.failures.append(f"{check.name}: {failure.title} {failure.message} {sample}")
        for name, interaction in recorder.interactions.items():
            response, case = interaction.response, recorder.cases[name].value
            if response is None:
                continue
            self.statuses.add(response.status_code)
            status = str(response.status_code)
            good = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
            if good and status in BUSINESS_REFUSALS and not has_float(case.body):
                slug = response.json()["type"].removeprefix("/problems/")
                if slug not in BUSINESS_REFUSALS[status]:
                    self.unfounded.append(f"{case.as_curl_command()}: {response.text}")

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, which is open already."""
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        await self.gateway.app(scope, receive, send)


def has_float(value: object) -> bool:
    """Tell whether there is a 2.0, which JSON Schema holds for an integer and we do not."""
    if isinstance(value, dict):
        return any(has_float(each) for each in value.values())
    return isinstance(value, float)


def references_in(part: Json | list[Any]) -> Iterator[str]:
    """Return every reference in a part of the document."""
    for name, each in part.items() if isinstance(part, dict) else enumerate(part):
        if name == "$ref":
            yield each
        elif isinstance(each, dict | list):
            yield from references_in(each)
