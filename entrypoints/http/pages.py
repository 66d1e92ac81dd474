"""HTML of an OpenAPI document: every operation, schema and problem, complete without scripts."""

from __future__ import annotations

import http
import json
import re
from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Final

import attrs

from entrypoints.http.problems import INTERNAL, MEDIA_TYPE, NOT_FOUND, ProblemType, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from entrypoints.http.json_schema import Json
    from entrypoints.http.problems import ProblemTable

_CODE: Final = re.compile(r"``([^`]+)``|`([^`]+)`")
_METHOD_NOT_ALLOWED: Final = ProblemType(
    405, "method-not-allowed", http.HTTPStatus.METHOD_NOT_ALLOWED.phrase
)


@attrs.frozen(kw_only=True)
class KnownProblem:
    """A kind of problem, and which operations tell of it."""

    slug: str
    status: int
    title: str
    detail: str
    operations: tuple[str, ...]
    """Their ids; none where it can happen to each."""


def known_problems(document: Json, problems: ProblemTable) -> Mapping[str, KnownProblem]:
    """Return every problem that the API can answer with, by the last part of its type.

    Streams and what Telegram posts to are no part of the document; what they refuse is.
    """
    told: dict[str, Json] = {}
    by: dict[str, list[str]] = defaultdict(list)
    for operation in _operations(document):
        for status, response in operation["responses"].items():
            examples = response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
            for slug, example in examples.items():
                told[slug] = example["value"]
                by[slug] += [operation["operationId"]] if status != "default" else []
    own = (kind.problem for kind in Refusal.__subclasses__())
    for row in (*problems.rows.values(), *own, NOT_FOUND, INTERNAL, _METHOD_NOT_ALLOWED):
        words = {"status": row.status, "title": row.title, "detail": row.detail or row.title}
        told.setdefault(row.slug, words)
    return {
        slug: KnownProblem(
            slug=slug,
            status=value["status"],
            title=value["title"],
            detail=value["detail"],
            operations=tuple(dict.fromkeys(by[slug])),
        )
        for slug, value in sorted(told.items())
    }


def api_page(document: Json) -> bytes:
    """Write the page of all operations and schemas."""
    info = document["info"]
    groups: dict[str, list[Json]] = defaultdict(list)
    for operation in _operations(document):
        groups[operation["tags"][0]].append(operation)
    parts = [
        f"<p>{_words(info.get('description', ''))}</p>",
        _LINKS,
    ]
    for name, operations in groups.items():
        shown = "".join(_operation(each) for each in operations)
        parts.append(f'<section class="group"><h2>{_words(_spaced(name))}</h2>{shown}</section>')
    parts.append("<h2>Schemas</h2>")
    schemas = document["components"]["schemas"]
    parts += [_schema(name, schemas[name]) for name in sorted(schemas)]
    return _html(f"{info['title']} API", parts, script="/docs/try.js")


def problem_index(known: Mapping[str, KnownProblem]) -> bytes:
    """Write the page that lists the problems."""
    rows = "".join(
        f'<tr><td>{each.status}</td><td><a href="/docs/problems/{escape(slug)}"><code>'
        f"{escape(slug)}</code></a></td><td>{_words(each.title)}</td></tr>"
        for slug, each in known.items()
    )
    heads = "<tr><th>Status</th><th>Code</th><th>Title</th></tr>"
    return _html("Problems", [_BACK, f"<table>{heads}{rows}</table>"])


def problem_page(known: Mapping[str, KnownProblem], slug: str) -> bytes:
    """Write the page of one problem: where its type leads to."""
    problem = known[slug]
    example = {
        "type": f"/problems/{slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": "req_5f0c1b7e2a9d4c3b8e6f7a10",
    }
    server = problem.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
    tried = "Try again later, with the same idempotency key." if server else "Change the request."
    parts = [
        _BACK,
        f"<p><code>{escape(slug)}</code>, status {problem.status}. {_words(problem.detail)}</p>",
        f"<p>{tried} <code>instance</code> is the request's id: name it when you ask us.</p>",
        f"<pre>{escape(json.dumps(example, indent=2))}</pre>",
        "<h2>Who answers so</h2>",
    ]
    links = "".join(
        f'<li><a href="/docs#{escape(each)}">{escape(each)}</a></li>'
        for each in problem.operations
    )
    parts.append(f"<ul>{links}</ul>" if links else "<p>It can happen to every operation.</p>")
    return _html(problem.title, parts)


_LINKS: Final = (
    '<p><a href="/openapi.json">The OpenAPI document</a> · '
    '<a href="/docs/problems">Problems</a></p>'
)
_BACK: Final = '<p><a href="/docs">API</a> · <a href="/docs/problems">Problems</a></p>'


def _operations(document: Json) -> Iterator[Json]:
    common = document["components"]["parameters"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parameters = [
                common[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
                for each in operation["parameters"]
            ]
            shown = {"path": path, "method": method.upper(), "parameters": parameters}
            yield {**operation, **shown}


def _operation(of: Json) -> str:
    scope = of.get("x-required-scope")
    needs = f"Needs the scope <code>{escape(scope)}</code>." if scope else "Needs no key."
    body = of.get("requestBody", {}).get("content", {}).get("application/json", {})
    taken = f"<p>Body: {_kind(body['schema'])}</p>" if body else ""
    parameters = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}"
        f"{', required' if each['required'] else ''}</td><td>{_kind(each['schema'])}</td>"
        f"<td>{_words(each.get('description', ''))}</td></tr>"
        for each in of["parameters"]
    )
    answers = "".join(
        f"<tr><td>{escape(status)}</td><td>{_answer(response)}</td></tr>"
        for status, response in of["responses"].items()
    )
    return (
        f'<details id="{escape(of["operationId"])}"><summary><span class="verb">{of["method"]}'
        f"</span> <code>{escape(of['path'])}</code> {_words(of['summary'])}</summary>"
        f"<p>{_words(of.get('description', ''))} {needs}</p>{taken}"
        f"<table>{parameters}</table><h3>Answers</h3><table>{answers}</table>"
        f"<pre>{escape(_curl(of, body=bool(body)))}</pre></details>"
    )


def _answer(response: Json) -> str:
    content = response.get("content", {})
    examples = content.get(MEDIA_TYPE, {}).get("examples", {})
    if examples:
        return ", ".join(
            f'<a href="/docs/problems/{escape(slug)}">{escape(slug)}</a>' for slug in examples
        )
    schema = content.get("application/json", {}).get("schema")
    return _kind(schema) if schema else _words(response["description"])


def _curl(of: Json, *, body: bool) -> str:
    lines = [f'curl -X {of["method"]} "$API{of["path"]}"']
    if of.get("x-required-scope"):
        lines.append('-H "Authorization: Bearer $KEY"')
    if any(each["name"] == "Idempotency-Key" for each in of["parameters"]):
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    if body:
        lines.append("-H 'Content-Type: application/json' -d @body.json")
    return " \\\n  ".join(lines)


def _schema(name: str, schema: Json) -> str:
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{'' if field in required else ', optional'}</td>"
        f"<td>{_kind(kind)}</td><td>{_words(kind.get('description', ''))}</td></tr>"
        for field, kind in schema.get("properties", {}).items()
    )
    values = ", ".join(f"<code>{escape(str(each))}</code>" for each in schema.get("enum", ()))
    return (
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code> '
        f"{_words(schema.get('description', ''))}</summary><p>{values}</p>"
        f"<table>{rows}</table></details>"
    )


def _kind(schema: Json) -> str:
    """Say what a schema is, in a few words, with a link to one that has a name."""
    if reference := schema.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if members := schema.get("anyOf"):
        return " or ".join(_kind(each) for each in members)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if values := schema.get("enum"):
        return " or ".join(f"<code>{escape(str(each))}</code>" for each in values)
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    return escape(str(schema.get("format") or schema.get("type", "any")))


def _words(text: str) -> str:
    """Escape a text for HTML, and mark what stands between backticks."""
    return _CODE.sub(lambda it: f"<code>{it[1] or it[2]}</code>", escape(text))


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def _html(title: str, parts: list[str], *, script: str = "") -> bytes:
    # A module runs when the page is there, and shares no names with anything.
    scripts = f'<script type="module" src="{script}"></script>' if script else ""
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/docs/style.css">'
        f"{scripts}</head>"
    )
    return f"{head}<body><h1>{escape(title)}</h1>{''.join(parts)}</body></html>".encode()
