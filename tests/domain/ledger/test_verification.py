"""Verification: no part of a statement can be changed unseen, not even by who signs anew."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from adapters.keys.ed25519 import Ed25519Check, Ed25519Signer
from domain.ledger.documents import signed_bytes
from domain.ledger.verification import NotAStatement, problems, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNER = Ed25519Signer(bytes(32))
MINE = "merchant:mer_01:available"
OTHER = "merchant:mer_01:reserved"
TIME = "2026-03-01T12:00:00.000000Z"


def entry(number: int, *amounts: tuple[str, str]) -> dict[str, Any]:
    return {
        "id": f"tx_{number}",
        "kind": "capture",
        "reference": "pi_01",
        "reverses": None,
        "booked_at": TIME,
        "effective_at": TIME,
        "postings": [
            {
                "account": account,
                "asset": "iso4217:USD",
                "amount": amount,
                "value": {"asset": "iso4217:USD", "amount": amount},
            }
            for account, amount in amounts
        ],
        "seal": {"number": number, "hash": f"{number:064x}"},
    }


def a_statement() -> dict[str, Any]:
    return {
        "format": "switchyard-statement/1",
        "merchant": "mer_01",
        "from": "2026-03-01T00:00:00.000000Z",
        "to": "2026-03-02T00:00:00.000000Z",
        "issued_at": "2026-03-03T00:00:00.000000Z",
        "accounts": [
            {
                "account": account,
                "asset": "iso4217:USD",
                "symbol": "USD",
                "decimals": 2,
                "opening": opening,
                "closing": closing,
            }
            for account, opening, closing in ((MINE, "100", "90"), (OTHER, "0", "30"))
        ],
        "transactions": [entry(3, (MINE, "20")), entry(7, (MINE, "-30"), (OTHER, "30"))],
        "seals": {"first": 3, "last": 7, "head": {"number": 9, "hash": f"{9:064x}"}},
        "public_key": SIGNER.public_key,
    }


def signed(statement: dict[str, Any], signer: Ed25519Signer = SIGNER) -> dict[str, Any]:
    unsigned = {**statement, "public_key": signer.public_key}
    return {**unsigned, "signature": signer.sign(signed_bytes(unsigned))}


def found(statement: dict[str, Any], *, key: str | None = SIGNER.public_key) -> list[str]:
    return problems(read(json.dumps(statement)), Ed25519Check(), public_key=key)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 (JSON)
    """Yield the way to each value that is not made of others."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    else:
        yield path


def changed(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """Return another value of the same shape."""
    if value is None:
        return "tx_9"
    if isinstance(value, int):
        return value + 1
    if value.lstrip("-").isdigit():
        return str(int(value) + 1)
    swapped = value[:-2] + ("1" if value[-2] != "1" else "2") + value[-1]
    return swapped if len(value) > 3 else value + "X"


STATEMENT = signed(a_statement())


def test_one_that_is_right_has_no_problems() -> None:
    assert found(STATEMENT) == []
    assert found(STATEMENT, key=None) == []
    assert found(STATEMENT, key=SIGNER.public_key.upper()) == []


@pytest.mark.parametrize("path", [*leaves(STATEMENT)], ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_changed_is_found(path: tuple[Any, ...]) -> None:
    tampered = copy.deepcopy(STATEMENT)
    *way, last = path
    holder: Any = tampered
    for key in way:
        holder = holder[key]
    holder[last] = changed(holder[last])

    try:
        told = found(tampered)
    except NotAStatement:
        return
    assert told


@pytest.mark.parametrize("part", ["accounts", "transactions"])
def test_whatever_is_left_out_or_swapped_is_found(part: str) -> None:
    shorter, swapped = copy.deepcopy(STATEMENT), copy.deepcopy(STATEMENT)
    shorter[part].pop()
    swapped[part].reverse()

    for tampered in (shorter, swapped):
        assert "the signature is not one of this document" in found(tampered)


def test_brackets_in_texts_are_no_nesting() -> None:
    statement = a_statement()
    statement["transactions"][0]["reference"] = '[{"\\' * 50

    assert found(signed(statement)) == []


def test_who_signs_anew_needs_our_key() -> None:
    forged = signed(a_statement(), Ed25519Signer(bytes([1] * 32)))

    assert found(forged, key=None) == []
    [problem] = found(forged)
    assert problem.startswith("it was signed with another key")


def tamper(act: Callable[[dict[str, Any]], object]) -> list[str]:
    """Return what is found in a statement that its own signer has signed with a fault in it."""
    statement = a_statement()
    act(statement)
    return found(signed(statement))


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a closing balance": (
        lambda it: it["accounts"][0].update(closing="91"),
        f"{MINE} iso4217:USD: 100 and entries of -10 are not 91",
    ),
    "an entry left out": (
        lambda it: it["transactions"].pop(),
        f"{OTHER} iso4217:USD: 0 and entries of 0 are not 30",
    ),
    "an account left out": (
        lambda it: it["accounts"].pop(),
        f"{OTHER} iso4217:USD has entries and no balance",
    ),
    "an account twice": (
        lambda it: it["accounts"].append(it["accounts"][0]),
        f"{MINE} iso4217:USD is listed twice",
    ),
    "below zero": (
        lambda it: it["accounts"][1].update(opening="-40", closing="-10"),
        f"{OTHER} iso4217:USD is below zero",
    ),
    "another's account": (
        lambda it: it["accounts"][1].update(account="merchant:mer_02:available"),
        "merchant:mer_02:available is not the merchant's",
    ),
    "another's posting": (
        lambda it: it["transactions"][0]["postings"][0].update(account="merchant:mer_011:x"),
        "merchant:mer_011:x is not the merchant's",
    ),
    "an entry twice": (
        lambda it: it["transactions"][1].update(id="tx_3"),
        "tx_3 is there twice",
    ),
    "an entry of another day": (
        lambda it: it["transactions"][0].update(booked_at=it["to"]),
        "tx_3 was not booked in the period",
    ),
    "an entry without postings": (
        lambda it: it["transactions"][0].update(postings=[]),
        "tx_3 moves nothing",
    ),
    "no period": (lambda it: it.update(to=it["from"]), "the period is empty"),
    "seals out of order": (
        lambda it: it["transactions"].reverse(),
        "the seals are out of order at tx_3",
    ),
    "another range of seals": (
        lambda it: it["seals"].update(last=8),
        "the range of seals is not that of the entries",
    ),
    "an old head": (
        lambda it: it["seals"]["head"].update(number=5),
        "the newest seal is older than an entry's",
    ),
    "one seal for two": (
        lambda it: it["transactions"][1]["seal"].update(hash=f"{3:064x}"),
        "two entries have the same seal",
    ),
    "two hashes of one seal": (
        lambda it: it["seals"]["head"].update(number=7),
        "the newest seal is not the last entry's, whose number it has",
    ),
}


@pytest.mark.parametrize(("act", "problem"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_right_is_told_even_if_it_is_signed(
    act: Callable[[dict[str, Any]], object], problem: str
) -> None:
    assert problem in tamper(act)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '"switchyard-statement/1"',
        "[" * 100_000,
        '{"a":' * 100_000,
        '"\\"' + "[" * 100_000,
        json.dumps(STATEMENT | {"format": "switchyard-statement/2"}),
        json.dumps(STATEMENT | {"more": 1}),
        json.dumps({name: value for name, value in STATEMENT.items() if name != "seals"}),
        json.dumps(STATEMENT | {"accounts": {}}),
        json.dumps(STATEMENT | {"from": "yesterday"}),
        json.dumps(STATEMENT | {"seals": {"first": True, "last": 7, "head": None}}),
        json.dumps(STATEMENT).replace('"opening": "100"', '"opening": 100'),
        json.dumps(STATEMENT).replace('"opening": "100"', '"opening": "0100"'),
        json.dumps(STATEMENT).replace('"opening": "100"', f'"opening": "{"9" * 5000}"'),
        json.dumps(STATEMENT).replace('"first": 3', f'"first": {"9" * 5000}'),
        json.dumps(STATEMENT).replace('"first": 3', '"first": 3.0'),
        json.dumps(STATEMENT).replace('"opening": "100"', '"opening": "1", "opening": "100"'),
    ],
)
def test_what_is_no_statement_is_told_as_such(text: str) -> None:
    with pytest.raises(NotAStatement):
        read(text)
