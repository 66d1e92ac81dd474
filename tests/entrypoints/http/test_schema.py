from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import attrs
import pytest

from entrypoints.http.codec import Fault, Invalid, reader, render, writer
from entrypoints.http.hints import rule_of
from entrypoints.http.json_schema import Schemas
from entrypoints.http.schema import (
    Amendment,
    Listing,
    Mapping,
    Number,
    Refused,
    Text,
)


class Color(enum.Enum):
    RED = "red"


@attrs.frozen
class Inner:
    plain: int = 0
    maybe: int | None = None
    marked: Annotated[int, Number(minimum=0)] = 0
    numbers: list[int] = attrs.field(factory=list)
    pair: tuple[int, ...] = ()
    words: list[str] = attrs.field(factory=list)
    text: str = ""
    perhaps: str | None = None
    flag: bool = False
    at: datetime | None = None
    color: Color = Color.RED
    word: Literal["a"] | None = None
    free: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Outer:
    inner: Inner
    short: Annotated[list[Inner], Listing(max_items=1)] = attrs.field(factory=list)
    tight: Annotated[dict[str, str], Mapping(max_entries=1, max_key=2, max_value=2)] = attrs.field(
        factory=dict
    )


def faults(value: object, kind: type[Any]) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        reader(kind)(value)
    return {(each.pointer, each.detail) for each in caught.value.errors if isinstance(each, Fault)}


NO_INTEGERS = [5.9, 5.0, "7", True, None, [], {}, 1e30]


@pytest.mark.parametrize("value", NO_INTEGERS)
@pytest.mark.parametrize("field", ["plain", "marked"])
def test_nothing_becomes_an_integer(field: str, value: object) -> None:
    assert faults({field: value}, Inner) == {(f"/{field}", "must be an integer")}


@pytest.mark.parametrize("value", [each for each in NO_INTEGERS if each is not None])
def test_nothing_becomes_an_integer_inside_others(value: object) -> None:
    assert faults({"maybe": value}, Inner) == {("/maybe", "must be an integer")}
    assert faults({"numbers": [1, value]}, Inner) == {("/numbers/1", "must be an integer")}
    assert faults({"pair": [value]}, Inner) == {("/pair/0", "must be an integer")}


@pytest.mark.parametrize("value", [7, 7.5, True, [], {}])
def test_nothing_becomes_a_string(value: object) -> None:
    assert faults({"text": value}, Inner) == {("/text", "must be a string")}
    assert faults({"perhaps": value}, Inner) == {("/perhaps", "must be a string")}
    assert faults({"words": [value]}, Inner) == {("/words/0", "must be a string")}
    assert faults({"free": {"k": value}}, Inner) == {("/free/k", "must be a string")}


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_nothing_becomes_a_boolean(value: object) -> None:
    assert faults({"flag": value}, Inner) == {("/flag", "must be true or false")}


@pytest.mark.parametrize("value", [1, [], {}, "blue", True])
def test_a_choice_is_one_of_its_words(value: object) -> None:
    assert faults({"color": value}, Inner) == {("/color", "must be one of red")}
    assert faults({"word": value}, Inner) == {("/word", "must be one of a")}


@pytest.mark.parametrize("value", [None, [], 3, "x"])
def test_an_object_is_an_object(value: object) -> None:
    assert faults(value, Inner) == {("", "must be an object")}
    assert faults({"inner": value}, Outer) == {("/inner", "must be an object")}
    assert faults({"inner": {}, "short": [value]}, Outer) == {("/short/0", "must be an object")}


def test_all_faults_are_told_at_once() -> None:
    value = {"inner": {"plain": "x", "a/b~": 1}, "short": [{}, {}], "tight": {"long": ""}, "x": 1}
    assert faults(value, Outer) == {
        ("/inner/plain", "must be an integer"),
        ("/inner/a~1b~0", "is not known here"),
        ("/short", "must have at most 1 items"),
        ("/tight/long", "must have at most 2 characters"),
        ("/x", "is not known here"),
    }
    assert faults({}, Outer) == {("/inner", "is required")}


def test_text_never_holds_nul() -> None:
    assert faults({"text": "a\0"}, Inner) == {("/text", "must not contain the character U+0000")}
    assert faults({"free": {"\0": ""}}, Inner) == {
        ("/free/\ufffd", "must not contain the character U+0000")
    }
    assert Text(pattern="^.*$").keywords()["allOf"] == [{"pattern": r"^[^\u0000]*$"}]


def test_a_pattern_ends_where_the_text_ends() -> None:
    digits = Text(pattern=r"^\d+$")
    assert digits.check("12") == "12"
    for wrong in ("12\n", "\u0663", "", "x1"):
        with pytest.raises(Refused):
            digits.check(wrong)
    with pytest.raises(ValueError, match="anchored"):
        Text(pattern="abc")


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01",
        "2026-01-01T00:00:00",
        "20260101T000000Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00Z\n",
        "9999-12-31T23:59:59-23:59",
        1767225600,
    ],
)
def test_a_moment_has_an_offset_and_exists(text: object) -> None:
    (fault,) = faults({"at": text}, Inner)
    assert fault[0] == "/at"


def test_a_moment_comes_out_in_utc() -> None:
    inner = reader(Inner)({"at": "2026-01-01T02:00:00.5+02:00"})
    assert inner.at == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert b'"at":"2026-01-01T00:00:00.500000Z"' in writer(Inner)(inner)
    assert render(inner) == writer(Inner)(inner)
    with pytest.raises(ValueError, match="offset"):
        render(Inner(at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the naive moment is the case


def test_bounds_of_integers_are_those_of_bigint() -> None:
    assert reader(Inner)({"plain": 2**63 - 1}).plain == 2**63 - 1
    assert faults({"plain": 2**63}, Inner) == {("/plain", f"must be at most {2**63 - 1}")}


def test_a_marker_stands_on_its_own_type() -> None:
    with pytest.raises(TypeError, match="Number does not describe"):
        rule_of(Annotated[str, Number()])
    with pytest.raises(Refused):
        Text(max_length=2, example="long")


def test_a_float_has_no_schema() -> None:
    with pytest.raises(TypeError, match="no schema"):
        Schemas().of(float)


class Road(enum.StrEnum):
    MAIN = "main"


@attrs.frozen
class Turn:
    road: Road


def test_an_enum_of_strings_is_read_as_its_member() -> None:
    assert reader(Turn)({"road": "main"}).road is Road.MAIN
    with pytest.raises(Invalid):
        reader(Turn)({"road": "side"})


@attrs.frozen
class Amended:
    free: dict[str, str | None] = attrs.field(factory=dict)
    tight: Annotated[dict[str, str | None], Amendment(max_entries=2, max_value=2)] = attrs.field(
        factory=dict
    )


def test_an_entry_is_removed_by_null() -> None:
    amended = {"free": {"a": None, "b": "", "c": "d"}, "tight": {"a": None, "b": "cd"}}
    assert attrs.asdict(reader(Amended)(amended)) == amended
    assert faults({"tight": {"a": "bcd"}}, Amended) == {
        ("/tight/a", "must have at most 2 characters")
    }
    assert faults({"tight": dict.fromkeys("abc")}, Amended) == {
        ("/tight", "must have at most 2 entries")
    }
    assert faults({"free": {"a": 1}}, Amended) == {("/free/a", "must be a string")}
    assert faults({"free": None}, Amended) == {("/free", "must be an object")}
    assert faults({"free": {"k": None}}, Inner) == {("/free/k", "must be a string")}


def test_the_schema_tells_what_can_be_removed() -> None:
    kept = Schemas().of(dict[str, str])["additionalProperties"]
    amended = Schemas().of(dict[str, str | None])["additionalProperties"]
    assert amended == {"anyOf": [kept, {"type": "null"}]}
    for kind, marker in ((dict[str, str], Amendment()), (dict[str, str | None], Mapping())):
        with pytest.raises(TypeError, match="does not describe"):
            rule_of(Annotated[kind, marker])
