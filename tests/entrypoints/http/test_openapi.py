from __future__ import annotations

from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from starlette.responses import JSONResponse
from starlette.routing import Route

from entrypoints.http.pagination import After

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.schemas import BaseSchema
    from starlette.requests import Request
    from starlette.testclient import TestClient

    from entrypoints.http.api import Api
    from entrypoints.http.pagination import Cursors


KEY = {"Authorization": "Bearer good"}


def test_valid_requests_meet_the_document(api: Api, cursors: Cursors) -> None:
    moments = st.datetimes(timezones=st.timezones())
    tokens = st.builds(lambda at: cursors.seal(After(created_at=at, id="note_1")), moments)
    schemathesis.openapi.format("cursor", tokens)
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.application())
    check_operations(schema, GenerationMode.POSITIVE)


def test_invalid_requests_meet_the_document(api: Api) -> None:
    # The key is given to every request, so a case whose only fault is its key would be no fault:
    # this document asks for none.
    document = api.openapi()
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["security"] = []

    async def keyless(_: Request) -> JSONResponse:
        return JSONResponse(document)

    app = api.application(routes=[Route("/keyless.json", keyless)])
    check_operations(schemathesis.openapi.from_asgi("/keyless.json", app), GenerationMode.NEGATIVE)


def check_operations(schema: BaseSchema, mode: GenerationMode) -> None:
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr] # an Err has no ok, and fails here
        if operation.path != "/broken":
            cases = operation.as_strategy(generation_mode=mode)
            check_operation(cases.filter(lambda case: not has_float(case.body)))


def has_float(value: object) -> bool:
    """JSON Schema holds 2.0 for an integer; we do not, and have a test for that."""
    if isinstance(value, dict):
        return any(has_float(entry) for entry in value.values())
    if isinstance(value, list):
        return any(has_float(entry) for entry in value)
    return isinstance(value, float)


def check_operation(cases: st.SearchStrategy[Any]) -> None:
    @settings(
        max_examples=40,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def conforms(case: Case[Any]) -> None:
        case.call_and_validate(headers=KEY)

    conforms()


def test_the_document_says_what_a_field_may_hold(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    note = schemas["CreateNote"]
    assert note["required"] == ["text", "amount"]
    assert note["additionalProperties"] is False
    assert note["properties"]["amount"] == {"$ref": "#/components/schemas/Amount"}
    assert note["properties"]["text"] == {
        "type": "string",
        "pattern": r"^[^\u0000]*$",
        "minLength": 1,
        "maxLength": 40,
        "description": "The words.",
        "examples": ["hi"],
    }
    assert schemas["PageOfNoteView"]["properties"]["data"]["items"] == {
        "$ref": "#/components/schemas/NoteView"
    }


def test_an_operation_lists_its_problems(client: TestClient) -> None:
    create = client.get("/openapi.json").json()["paths"]["/v1/notes"]["post"]
    assert set(create["responses"]) == {
        *("201", "400", "401", "403", "409", "413", "415", "422", "429", "default")
    }
    examples = create["responses"]["409"]["content"]["application/problem+json"]["examples"]
    assert set(examples) == {"key-reused"}
    assert create["security"] == [{"apiKey": ["notes:write"]}]
    assert create["x-required-scope"] == "notes:write"
    key, version = create["parameters"]
    assert (key["name"], key["in"], key["required"]) == ("Idempotency-Key", "header", True)
    assert version == {"$ref": "#/components/parameters/Switchyard-Version"}
