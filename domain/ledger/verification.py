"""Verifying a statement from itself alone: no database, no settings, no network."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import attrs

from domain.ledger.documents import FORMAT, signed_bytes
from domain.ledger.shapes import each, maybe, members, number, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ports.signatures import SignatureCheck

DEPTH_MAX = 16
"""Deeper than any statement. Reading JSON recurses, and nesting without end ends the process."""

_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|(?P<opening>[\[{])|[\]}]', re.DOTALL)

_TIME = text(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z")
_WHOLE = text(r"0|-?[1-9][0-9]{0,99}")
_HASH = text(r"[0-9a-f]{64}")
_SEAL = members({"number": number, "hash": _HASH})
_ACCOUNT = members(
    {
        "account": text(),
        "asset": text(),
        "symbol": maybe(text()),
        "decimals": maybe(number),
        "opening": _WHOLE,
        "closing": _WHOLE,
    }
)
_POSTING = members(
    {
        "account": text(),
        "asset": text(),
        "amount": _WHOLE,
        "value": maybe(members({"asset": text(), "amount": _WHOLE})),
    }
)
_TRANSACTION = members(
    {
        "id": text(),
        "kind": text(),
        "reference": text(),
        "reverses": maybe(text()),
        "booked_at": _TIME,
        "effective_at": _TIME,
        "postings": each(_POSTING),
        "seal": _SEAL,
    }
)
_STATEMENT = members(
    {
        "format": text(),
        "merchant": text(),
        "from": _TIME,
        "to": _TIME,
        "issued_at": _TIME,
        "accounts": each(_ACCOUNT),
        "transactions": each(_TRANSACTION),
        "seals": members({"first": maybe(number), "last": maybe(number), "head": maybe(_SEAL)}),
        "public_key": _HASH,
        "signature": text(r"[0-9a-f]{128}"),
    }
)


@attrs.frozen
class NotAStatement(ValueError):
    """The file is no statement."""

    why: str


def read(written: str) -> dict[str, Any]:
    """Read a statement.

    Raises:
        NotAStatement: the text is not JSON, names something twice, or has not the shape of one.
    """
    if _depth(written) > DEPTH_MAX:
        raise NotAStatement("it is nested too deeply")
    try:
        statement = json.loads(written, object_pairs_hook=_once)
    except ValueError as error:
        raise NotAStatement(str(error)) from error
    for wrong in _STATEMENT(statement, "statement"):
        raise NotAStatement(wrong)
    if statement["format"] != FORMAT:
        raise NotAStatement(f"it is a {statement['format']}, and not a {FORMAT}")
    return dict(statement)


def problems(
    statement: dict[str, Any], check: SignatureCheck, *, public_key: str | None = None
) -> list[str]:
    """Return what is wrong with a statement; nothing is what is expected.

    Without a public key from elsewhere this shows that the statement is whole, and not whose.
    """
    found = []
    if public_key is not None and statement["public_key"] != public_key.lower():
        found.append(f"it was signed with another key: {statement['public_key']}")
    if not check.verifies(
        signed_bytes(statement),
        signature=statement["signature"],
        public_key=statement["public_key"],
    ):
        found.append("the signature is not one of this document")
    return [
        *found,
        *_wrong_sums(statement),
        *_not_the_merchants(statement),
        *_wrong_entries(statement),
        *_wrong_seals(statement),
    ]


def _wrong_sums(statement: dict[str, Any]) -> Iterator[str]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for transaction in statement["transactions"]:
        for posting in transaction["postings"]:
            sums[posting["account"], posting["asset"]] += int(posting["amount"])
    listed = Counter((it["account"], it["asset"]) for it in statement["accounts"])
    for account, asset in [key for key, times in listed.items() if times > 1]:
        yield f"{account} {asset} is listed twice"
    for account, asset in [key for key in sums if key not in listed]:
        yield f"{account} {asset} has entries and no balance"
    for it in statement["accounts"]:
        opening, closing = int(it["opening"]), int(it["closing"])
        entries = sums[it["account"], it["asset"]]
        if opening + entries != closing:
            yield (
                f"{it['account']} {it['asset']}: {opening} and entries of {entries} are not"
                f" {closing}"
            )
        if min(opening, closing) < 0:
            yield f"{it['account']} {it['asset']} is below zero"


def _not_the_merchants(statement: dict[str, Any]) -> Iterator[str]:
    ours = f"merchant:{statement['merchant']}:"
    postings = (posting for it in statement["transactions"] for posting in it["postings"])
    names = {it["account"] for it in (*statement["accounts"], *postings)}
    for name in sorted(names):
        if not name.startswith(ours):
            yield f"{name} is not the merchant's"


def _wrong_entries(statement: dict[str, Any]) -> Iterator[str]:
    names: set[str] = set()
    if statement["from"] >= statement["to"]:
        yield "the period is empty"
    for it in statement["transactions"]:
        if it["id"] in names:
            yield f"{it['id']} is there twice"
        names.add(it["id"])
        if not statement["from"] <= it["booked_at"] < statement["to"]:
            yield f"{it['id']} was not booked in the period"
        if not it["postings"] or any(posting["amount"] == "0" for posting in it["postings"]):
            yield f"{it['id']} moves nothing"


def _wrong_seals(statement: dict[str, Any]) -> Iterator[str]:
    seals = [(it["seal"]["number"], it["id"]) for it in statement["transactions"]]
    before = 0
    for place, id in seals:
        if place <= before:
            yield f"the seals are out of order at {id}"
        before = place
    told = statement["seals"]
    ends = (seals[0][0], seals[-1][0]) if seals else (None, None)
    if (told["first"], told["last"]) != ends:
        yield "the range of seals is not that of the entries"
    head = told["head"]
    if seals and (head is None or head["number"] < before):
        yield "the newest seal is older than an entry's"
    hashes = {it["seal"]["hash"] for it in statement["transactions"]}
    if len(hashes) < len(seals):
        yield "two entries have the same seal"
    last = statement["transactions"][-1]["seal"] if seals else None
    if head and last and head["number"] == last["number"] and head["hash"] != last["hash"]:
        yield "the newest seal is not the last entry's, whose number it has"


def _depth(written: str) -> int:
    """Return how deeply lists and objects are nested; brackets in texts do not count."""
    deepest = depth = 0
    for found in _BRACKET.finditer(written):
        if found["opening"]:
            depth += 1
            deepest = max(deepest, depth)
        elif not found[0].startswith('"'):
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Take an object whose members have names of their own: which of two counts, none could say.

    Raises:
        ValueError: two have the same.
    """
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is there twice")
    return members
