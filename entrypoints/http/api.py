"""The typed API as a whole: routes, the document, and the Starlette application around them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from entrypoints.http.edge import Answered, Edge, nobody_asks, request_id_of
from entrypoints.http.endpoint import Authenticate, Endpoint, Path, endpoints_of
from entrypoints.http.openapi import document
from entrypoints.http.problems import ProblemTable
from entrypoints.http.request import BODY_BYTES_MAX

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import Lifespan


@attrs.define(kw_only=True, eq=False)
class Api:
    """Finished resources under one title, one authenticator and one problem table.

    Attributes:
        title: Of the document.
        version: Of the document.
        authenticate: Finds the principal of a request for an operation that needs a scope, or
            raises (`Unauthenticated`).
        problems: What the application's exceptions are to a client.
        resources: Objects with methods marked by `endpoint.get`, `post` and so on.
        description: Of the document; Markdown.
        body_bytes_max: Longer request bodies are answered 413.
        answered: Told of each request that was answered.
    """

    title: str
    version: str
    authenticate: Authenticate
    problems: ProblemTable
    resources: Sequence[object]
    description: str = ""
    body_bytes_max: int = BODY_BYTES_MAX
    answered: Answered = nobody_asks
    endpoints: tuple[Endpoint, ...] = attrs.field(init=False)

    @endpoints.default
    def _endpoints_default(self) -> tuple[Endpoint, ...]:
        return tuple(
            endpoint
            for resource in self.resources
            for endpoint in endpoints_of(
                resource, authenticate=self.authenticate, body_bytes_max=self.body_bytes_max
            )
        )

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document.

        Raises:
            TypeError: A type has no schema, two classes share a name, or a problem has no row.
        """
        return document(
            self.endpoints,
            title=self.title,
            version=self.version,
            description=self.description,
            problems=self.problems,
        )

    def routes(self) -> list[BaseRoute]:
        """One route a path, and `/openapi.json`.

        Raises:
            TypeError: As `openapi`, and when two endpoints share verb and path.
        """
        by_path: dict[str, dict[str, Endpoint]] = defaultdict(dict)
        for endpoint in self.endpoints:
            methods = by_path[endpoint.operation.path]
            if endpoint.operation.method in methods:
                raise TypeError(f"{endpoint.name}: verb and path are taken")
            methods[endpoint.operation.method] = endpoint
        rendered = orjson.dumps(self.openapi())

        async def openapi(_: Request) -> Response:
            return Response(rendered, media_type="application/json")

        return [
            *(Route(path, Path(methods), name=path) for path, methods in by_path.items()),
            Route("/openapi.json", openapi),
        ]

    def application(
        self,
        *,
        routes: Sequence[BaseRoute] = (),
        middleware: Sequence[Middleware] = (),
        lifespan: Lifespan[Starlette] | None = None,
    ) -> Starlette:
        """Make the Starlette application; its failures, those of other routes too, are problems.

        Args:
            routes: Other routes (pages, streams, health), tried after the API's.
            middleware: Run inside the edge, so that what they raise is a problem with a request
                id.
            lifespan: Opens and closes what the resources stand on.
        """

        async def http_problem(request: Request, error: Exception) -> Response:
            return self.problems.respond(error, request_id=request_id_of(request.scope))

        app = Starlette(
            routes=[*self.routes(), *routes],
            middleware=[
                Middleware(Edge, problems=self.problems, answered=self.answered),
                *middleware,
            ],
            # Status 404 and 405 of Starlette's own; all else passes through to the edge.
            exception_handlers={HTTPException: http_problem},
            lifespan=lifespan,
        )
        # A redirected POST may be repeated by some clients and dropped by others.
        app.router.redirect_slashes = False
        return app
