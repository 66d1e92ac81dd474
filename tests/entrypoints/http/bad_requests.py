"""Requests that are refused, each with the one answer that it must get."""

from __future__ import annotations

import json

import attrs

from domain.intents.prices import PRICE_MAX
from entrypoints.http.request import BODY_BYTES_MAX
from tests.builders import COIN, USDT
from tests.entrypoints.http.gateway import ELSEWHERE, EUR, price

INTENTS = "/v1/payment_intents"
INVALID = (422, "invalid-request")
MALFORMED = (400, "malformed-json")
NOT_FOUND = (404, "not-found")
UINT256_MAX = 2**256 - 1


@attrs.frozen
class Bad:
    """A request that is refused."""

    name: str
    answer: tuple[int, str]
    content: str | bytes = b""
    at: str | None = None
    """Where the one fault is: a JSON pointer."""
    method: str = "POST"
    path: str = INTENTS
    headers: dict[str, str] = attrs.field(factory=dict)


def body(**changes: object) -> str:
    """Return a good body but for the changes; a change to ``...`` leaves a member out."""
    good = {"method": "escrow", "price": price(2500), "asset": USDT.id}
    return json.dumps({k: v for k, v in {**good, **changes}.items() if v is not ...})


def amounts() -> list[Bad]:
    texts = [
        "-1", "0", "00", "01", "+1", "1.5", "1.0", "1e3", "1E3", "0x10", " 1", "1 ", "1\n", "",
        "\u0661", "1_000", "1,000", "NaN", "Infinity", "9" * 79, "1" + "0" * 5000,
    ]  # fmt: skip
    written = [json.dumps(text) for text in texts]
    written += ["2500", "0", "-1", "1.5", "2500.0", "1e3", "9" * 100, "true", "null", "[]", "{}"]
    written += ['["2500"]', '{"2500": 1}']
    bad = [
        Bad(f"amount {each[:12]}", INVALID, body().replace('"2500"', each), "/price/amount")
        for each in written
    ]
    for each in (PRICE_MAX + 1, UINT256_MAX, UINT256_MAX + 1, 10**77, 10**78 - 1):
        said = (422, "price-out-of-range")
        bad.append(Bad(f"amount of {len(str(each))} digits", said, body(price=price(each))))
    return bad


def assets() -> list[Bad]:
    def asset(name: str, slug: str) -> Bad:
        return Bad(f"asset {name[:25]}", (422, slug), body(asset=name))

    def currency(name: str, slug: str) -> Bad:
        return Bad(f"price in {name[:25]}", (422, slug), body(price=price(1, name)))

    return [
        asset("iso4217:USD", "asset-not-accepted"),
        asset(EUR, "asset-not-accepted"),
        asset(ELSEWHERE, "asset-not-accepted"),
        asset("eip155:31337/erc20:0x1", "unknown-asset"),
        asset("nonsense", "malformed-asset"),
        asset("' or 1=1 --", "malformed-asset"),
        currency(USDT.id, "not-a-currency"),
        currency(COIN.id, "not-a-currency"),
        currency("iso4217:XXX", "unknown-asset"),
        currency("iso4217:usd", "malformed-asset"),
        currency("iso4217:USD\n", "malformed-asset"),
        currency("USD", "malformed-asset"),
        Bad("asset too short", INVALID, body(asset="ab"), "/asset"),
        Bad("asset too long", INVALID, body(asset="a" * 201), "/asset"),
        Bad("asset with NUL", INVALID, body(asset="iso4217:\0"), "/asset"),
        Bad("asset of no text", INVALID, body(asset=1), "/asset"),
        Bad("no rate of the coin", (503, "no-rate"), body(asset=COIN.id)),
        Bad("no rate in euro", (503, "no-rate"), body(price=price(1, EUR))),
    ]


def offers() -> list[Bad]:
    unclear = (422, "unclear-offer")
    return [
        Bad("quote and price", unclear, body(quote="qt_1")),
        Bad("quote and asset", unclear, body(quote="qt_1", price=...)),
        Bad("neither", unclear, body(price=..., asset=...)),
        Bad("price alone", unclear, body(asset=...)),
        Bad("asset alone", unclear, body(price=...)),
        Bad("all null", unclear, body(price=None, asset=None, quote=None)),
        Bad("missing quote", NOT_FOUND, body(price=..., asset=..., quote="qt_1")),
        Bad("quote with NUL", INVALID, body(price=..., asset=..., quote="\0"), "/quote"),
        Bad("empty quote", INVALID, body(price=..., asset=..., quote=""), "/quote"),
        Bad("quote of no text", INVALID, body(price=..., asset=..., quote=7), "/quote"),
        Bad("price of no object", INVALID, body(price="2500"), "/price"),
        Bad("price without asset", INVALID, body(price={"amount": "1"}), "/price/asset"),
        Bad("price without amount", INVALID, body(price={"asset": EUR}), "/price/amount"),
        Bad("price and more", INVALID, body(price={**price(1), "x": 1}), "/price/x"),
    ]


def members() -> list[Bad]:
    within = [0, -1, 604801, 2**63, 2**64, 10**40, 60.5, 60.0, "60", True, [], {}]
    metadata = [
        ({str(n): "" for n in range(21)}, ""), ({"k" * 41: ""}, "/" + "k" * 41),
        ({"k": "v" * 501}, "/k"), ({"k": 1}, "/k"), ({"k": None}, "/k"), ({"k": "\0"}, "/k"),
        ({"": ""}, "/"), ({"\0": ""}, "/\ufffd"), ({"a/b~": 1}, "/a~1b~0"), ([], ""), ("", ""),
    ]  # fmt: skip
    descriptions: list[object] = ["d" * 501, "\0", 5, []]
    methods: list[object] = ["card", "ESCROW", "", None, 1, ...]
    return [
        *(
            Bad(f"within {each!r}"[:20], INVALID, body(pay_within_seconds=each),
                "/pay_within_seconds")
            for each in within
        ),
        *(
            Bad(f"metadata {place[:8]!r} {each!r:.12}", INVALID, body(metadata=each),
                f"/metadata{place}")
            for each, place in metadata
        ),
        *(
            Bad(f"method {each!r}", INVALID, body(method=each), "/method")
            for each in methods
        ),
        *(
            Bad(f"description {each!r:.12}", INVALID, body(description=each), "/description")
            for each in descriptions
        ),
        Bad("unknown member", INVALID, body(amount="1"), "/amount"),
        Bad("unknown member of our own", INVALID, body(status="succeeded"), "/status"),
    ]  # fmt: skip


def contents() -> list[Bad]:
    wrong_type = (415, "unsupported-media-type")
    twice = body().replace("{", '{"method": "address", ', 1)
    types = ["text/plain", "application/xml", "application/json; charset=latin-1", "json", ""]
    return [
        *(
            Bad(f"a body of {text:.10}", INVALID, text, "")
            for text in ("null", "[]", '"text"', "7", "true", f"[{body()}]")
        ),
        *(
            Bad(f"malformed {each!r:.16}", MALFORMED, each)
            for each in (
                b"", b" ", b"{", body()[:-1], body() + "}", body().replace('"', "'"), b"\xff",
                b"\xef\xbb\xbf{}", body().encode("utf-16"), b'{"description": "\\ud800"}',
                b'{"description": "\x01"}', b'{"description": NaN}', b"[" * 60_000, b"[" * 300,
                b"[" * 300 + b"]" * 300, body() + body(), body().replace('"2500"', "1E400"),
            )
        ),
        Bad("a member twice", MALFORMED, twice),
        Bad("an inner member twice", MALFORMED, body().replace('"amount"', '"asset": 1, "asset"')),
        *(
            Bad(f"content type {each!r}", wrong_type, body(), headers={"Content-Type": each})
            for each in types
        ),
        Bad("coded content", wrong_type, body(), headers={"Content-Encoding": "gzip"}),
        Bad("one byte too many", (413, "content-too-large"), body().ljust(BODY_BYTES_MAX + 1)),
        Bad("unknown query", INVALID, body(), path=f"{INTENTS}?dry_run=true"),
        Bad("malformed query", (400, "malformed-query"), path=f"{INTENTS}?limit=1&limit=2",
            method="GET"),
        Bad("query not UTF-8", (400, "malformed-query"), path=f"{INTENTS}?limit=%ff",
            method="GET"),
    ]  # fmt: skip


def places() -> list[Bad]:
    names = ["pi_1", "%00", "a-b", "x" * 65, "..%2f..", "pi_1%0a", "é", "pi%201"]
    ends = ["", "/wallet_calls", "/escrow"]
    return [
        *(
            Bad(f"GET {name}{end}"[:30], NOT_FOUND, method="GET", path=f"{INTENTS}/{name}{end}")
            for name in names
            for end in ends
        ),
        *(
            Bad(f"POST {end}", NOT_FOUND, path=f"{INTENTS}/pi_1/{end}")
            for end in ("cancel", "accept", "escrow/release", "escrow/refund")
        ),
        *(
            Bad(f"GET {path}", NOT_FOUND, method="GET", path=path)
            for path in ("/", "/v1", f"{INTENTS}/", "/v2/events", "/v1/payouts/po_1", "//v1")
        ),
        *(
            Bad(f"{method} {path}", (405, "method-not-allowed"), method=method, path=path)
            for method, path in (
                ("DELETE", INTENTS), ("PUT", f"{INTENTS}/pi_1"), ("GET", "/v1/quotes"),
                ("POST", "/v1/events"), ("GET", f"{INTENTS}/pi_1/cancel"), ("TRACE", INTENTS),
                ("OPTIONS", INTENTS), ("POST", "/healthz"),
            )
        ),
    ]  # fmt: skip


EVERYTHING = [*amounts(), *assets(), *offers(), *members(), *contents(), *places()]
