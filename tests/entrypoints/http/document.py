"""The API's document, as what responses are held against."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs
import jsonschema_rs
import orjson
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from httpx2 import Response
    from starlette.applications import Starlette

_UNDOCUMENTED = ("/healthz", "/readyz", "/openapi.json")


@attrs.frozen
class Document:
    """An OpenAPI document."""

    content: dict[str, Any]
    _validators: dict[str, jsonschema_rs.Draft202012Validator] = attrs.field(
        factory=dict, init=False
    )

    @classmethod
    def of(cls, app: Starlette) -> Document:
        """Return the document that an application gives out."""
        return cls(orjson.loads(TestClient(app).get("/openapi.json").content))

    def must_describe(self, response: Response) -> None:
        """Fail unless a response is one that the document foresees for its request."""
        path = response.request.url.path
        if path in _UNDOCUMENTED:
            return
        operation = self._operation(response.request.method, path)
        if operation is None:
            # Nothing but a refusal is told at a path or by a method that is not in the document.
            assert response.status_code in {401, 404, 405}, response.text
            self._must_fit("Problem", {"$ref": "#/components/schemas/Problem"}, response.content)
            return
        status = str(response.status_code)
        if status not in operation["responses"]:
            # What is not the request's fault can happen to each of them.
            assert response.is_server_error, f"{operation['operationId']} {response.text}"
            status = "default"
        if "content" not in operation["responses"][status]:
            assert response.content == b"", response.text
            return
        content = operation["responses"][status]["content"]
        media_type = response.headers["content-type"]
        name = f"{operation['operationId']} {status}"
        self._must_fit(name, content[media_type]["schema"], response.content)
        headers = operation["responses"][status]["headers"]
        undocumented = set(response.headers) - {"content-type", "content-length"}
        assert undocumented <= {header.lower() for header in headers} | {"www-authenticate"}

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for template, operations in self.content["paths"].items():
            pattern = re.sub(r"\{[a-z_]+\}", "[A-Za-z0-9_:-]{1,64}", template)
            if re.fullmatch(pattern, path):
                operation: dict[str, Any] | None = operations.get(method.lower())
                return operation
        return None

    def _must_fit(self, name: str, schema: dict[str, Any], content: bytes) -> None:
        if name not in self._validators:
            components = {"components": self.content["components"]}
            self._validators[name] = jsonschema_rs.Draft202012Validator(
                {**schema, **components}, validate_formats=True
            )
        self._validators[name].validate(orjson.loads(content))
