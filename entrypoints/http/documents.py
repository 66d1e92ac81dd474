"""Pages for people: the API's document, and what each problem's ``type`` leads to.

They are made once, out of the OpenAPI document, without anything from elsewhere, so that their
policy allows nothing but their own style sheet, and on one page a script of ours, which sends
requests to us alone. No page needs it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from entrypoints.http.pages import api_page, known_problems, problem_index, problem_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from entrypoints.http.json_schema import Json
    from entrypoints.http.problems import ProblemTable

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "public, max-age=300",
}
TRYING: Final[Mapping[str, str]] = {
    **HEADERS,
    # Trusted types: no text can become HTML or a script, whatever a response holds.
    "Content-Security-Policy": f"{_POLICY}; script-src 'self'; connect-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
}
"""Of the page on which operations can be tried."""

_SCRIPT: Final = Path(__file__).with_name("web") / "try.js"

_STYLE: Final = b"""
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem;
  color: #1b1f24; background: #fff }
h1, h2, h3 { line-height: 1.2 }
code, pre { font: 14px/1.4 ui-monospace, monospace; background: #f3f4f6; border-radius: 3px }
code { padding: 0 .2em } pre { padding: .8em; overflow-x: auto }
details { border: 1px solid #d5d9de; border-radius: 4px; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer } table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #e4e7eb; padding: .25rem .5rem; text-align: left;
  vertical-align: top }
.verb { display: inline-block; min-width: 4.5em; font-weight: 700 }
section details { scroll-margin-top: 5rem }
.bar, .try { display: grid; gap: .5rem } .bar { grid-template-columns: 1fr 1fr }
.bar { position: sticky; top: 0; padding: .5rem 0; background: inherit }
label span { display: block; font-size: 14px } [hidden] { display: none }
input, textarea { font: 14px/1.4 ui-monospace, monospace; width: 100%; box-sizing: border-box;
  padding: .3em; border: 1px solid #8c959f; border-radius: 3px; color: inherit;
  background: inherit }
button { font: inherit; justify-self: start; padding: .2rem 1.2rem }
@media (prefers-color-scheme: dark) {
  body { color: #e6e8eb; background: #16191d } code, pre { background: #23282e }
  a { color: #8ab4f8 } details, td, th { border-color: #3a4149 }
}
"""


def document_routes(document: Json, problems: ProblemTable) -> list[BaseRoute]:
    """Return the pages of a finished OpenAPI document.

    Args:
        document: The whole of it.
        problems: Those that the document may leave unsaid, as they can happen everywhere.
    """
    known = known_problems(document, problems)
    index, list_of_problems = api_page(document), problem_index(known)
    by_slug = {slug: problem_page(known, slug) for slug in known}

    script = _SCRIPT.read_bytes()

    async def show_api(_: Request) -> Response:
        return _page(index, TRYING)

    async def show_script(_: Request) -> Response:
        return Response(script, media_type="text/javascript", headers=HEADERS)

    async def show_problems(_: Request) -> Response:
        return _page(list_of_problems)

    async def show_problem(request: Request) -> Response:
        page = by_slug.get(request.path_params["slug"])
        if page is None:
            raise HTTPException(404)
        return _page(page)

    async def style(_: Request) -> Response:
        return Response(_STYLE, media_type="text/css", headers=HEADERS)

    return [
        Route("/docs", show_api),
        Route("/docs/style.css", style),
        Route("/docs/try.js", show_script),
        Route("/docs/problems", show_problems),
        Route("/docs/problems/{slug}", show_problem),
        # What a problem's type says, so that it can be followed.
        Route("/problems/{slug}", show_problem),
    ]


def _page(content: bytes, headers: Mapping[str, str] = HEADERS) -> Response:
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)
