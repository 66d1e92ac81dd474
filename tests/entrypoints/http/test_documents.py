"""The pages for people: complete without a script, and closed to everything from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from httpx2 import ASGITransport, AsyncClient

from entrypoints.http.problems import Refusal
from entrypoints.http.refusals import REFUSALS

if TYPE_CHECKING:
    from httpx2 import Response

    from tests.entrypoints.http.gateway import Gateway

PATHS = (
    *("/docs", "/docs/style.css", "/docs/try.js"),
    *("/docs/problems", "/docs/problems/not-found"),
)
SCRIPT = "/docs/try.js"
TRYING = {
    "script-src": "'self'",
    "connect-src": "'self'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
"""What the page on which operations can be tried may do beside the others."""


class Page(HTMLParser):
    """What a page is made of: its elements, and where its links lead."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {str(value) for name, value in attrs if name in {"href", "src"}}
        self.ids |= {str(value) for name, value in attrs if name == "id"}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def got(gateway: Gateway, path: str) -> Response:
    async with AsyncClient(
        transport=ASGITransport(gateway.app), base_url="http://api.example"
    ) as client:
        return await client.get(path)


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_from_elsewhere_is_allowed(memory_gateway: Gateway, path: str) -> None:
    response = await got(memory_gateway, path)
    assert response.status_code == 200
    policy = dict(
        each.strip().split(" ", 1)
        for each in response.headers["content-security-policy"].split(";")
    )
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        **(TRYING if path == "/docs" else {}),
    }
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"


async def test_the_pages_need_no_script_and_all_links_lead_somewhere(
    memory_gateway: Gateway,
) -> None:
    api = Page((await got(memory_gateway, "/docs")).text)
    pages = [api]
    for link in sorted(api.links | {"/docs/problems"}):
        assert re.match(r"[/#]", link), link
        if link.startswith("#"):
            assert link[1:] in api.ids, link
        else:
            response = await got(memory_gateway, link)
            assert response.status_code == 200, link
            if "html" in response.headers["content-type"]:
                pages.append(Page(response.text))
    assert len(pages) > 20
    assert SCRIPT in api.links
    assert not any(SCRIPT in page.links for page in pages[1:])
    for page in pages:
        scripts = {"script"} if page is api else set()
        assert not page.elements & {"script", "iframe", "object", "embed", "form", "img"} - scripts
        assert not any(name.startswith("on") or name == "style" for name in page.attributes)
        for link in page.links:
            path, _, anchor = link.partition("#")
            assert path != "/docs" or not anchor or anchor in api.ids, link


async def test_the_one_script_is_a_file_of_ours(memory_gateway: Gateway) -> None:
    page = (await got(memory_gateway, "/docs")).text
    assert page.count("<script") == page.count(
        f'<script type="module" src="{SCRIPT}"></script>'
    ) == 1  # fmt: skip
    script = await got(memory_gateway, SCRIPT)
    assert script.headers["content-type"].startswith("text/javascript")
    # The key stays in its field, and no text becomes HTML or code.
    for word in ("Storage", "cookie", "indexedDB", "innerHTML", "eval(", "Function(", "https:"):
        assert word not in script.text, word


async def test_every_operation_and_schema_is_on_the_page(memory_gateway: Gateway) -> None:
    document = memory_gateway.document.content
    page = Page((await got(memory_gateway, "/docs")).text)
    for operations in document["paths"].values():
        assert {operation["operationId"] for operation in operations.values()} <= page.ids
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= page.ids


async def test_the_type_of_every_problem_leads_to_its_page(memory_gateway: Gateway) -> None:
    of_this_layer = {
        kind.problem
        for kind in Refusal.__subclasses__()
        if kind.__module__.startswith("entrypoints.http.")
    }
    problems = {*REFUSALS.rows.values(), *of_this_layer}
    assert len(problems) > 30
    for problem in problems:
        response = await got(memory_gateway, problem.type)
        assert response.status_code == 200, problem.type
        assert problem.slug in response.text
        assert str(problem.status) in response.text


@pytest.mark.parametrize("path", ["/nowhere", "/v1/payment_intents", "/healthz/"])
async def test_what_is_answered_can_be_followed(memory_gateway: Gateway, path: str) -> None:
    problem = (await got(memory_gateway, path)).json()
    assert (await got(memory_gateway, problem["type"])).status_code == 200


async def test_a_problem_that_there_is_not_has_no_page(memory_gateway: Gateway) -> None:
    for path in ("/problems/none", "/docs/problems/none", "/docs/problems/%3Cscript%3E"):
        assert (await got(memory_gateway, path)).status_code == 404
