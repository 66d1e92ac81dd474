"""What a field may hold: one rule gives both the JSON Schema keywords and the check.

A rule stands in `Annotated` (`Annotated[str, Text(max_length=64)]`); a bare `str`, `int`, `bool`,
`datetime`, `Literal` or `Enum` has a rule of its own. The codec enforces what `rule_of` finds and
the document prints it, so the two cannot differ. JSON Schema is of draft 2020-12, as OpenAPI 3.1
asks.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeAlias

import attrs

# Types of types and values of any type: what this layer is about, and what no checker can follow.
TypeForm: TypeAlias = Any
Value: TypeAlias = Any

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

# PostgreSQL text cannot hold U+0000, so no text of ours admits it.
_WITHOUT_NUL = r"^[^\u0000]*$"
# Constructs by which a pattern may admit U+0000; one too many here only adds a redundant keyword.
_OPEN_CLASS = re.compile(r"(?<!\\)\.|\[\^|\\[DWS]")

# RFC 3339 section 5.6, narrowed to capital T and Z, four-digit years a datetime can move to UTC,
# at most microseconds and no leap second.
_RFC3339 = (
    r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_DECIMAL_INTEGER = re.compile(r"(0|-?[1-9][0-9]{0,18})\Z")


@attrs.frozen(eq=False)
class Refused(ValueError):
    """A value breaks the rule of its field; `at` is the path from that field inward."""

    detail: str
    at: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return self.detail


@attrs.frozen(eq=False, kw_only=True)
class Described:
    """Words and an example for a field; it constrains nothing.

    Compared by identity, because `Annotated` hashes its metadata and an example may be a dict.
    """

    description: str = ""
    example: Any = None

    def documentation(self) -> dict[str, Any]:
        """The annotation keywords: `description` and `examples`, where given."""
        words: dict[str, Any] = {}
        if self.description:
            words["description"] = self.description
        if self.example is not None:
            words["examples"] = [self.example]
        return words


@attrs.frozen(eq=False, kw_only=True)
class Rule(Described):
    """What a value must be, said once for the schema and for the check."""

    carrier: ClassVar[type]

    def __attrs_post_init__(self) -> None:
        if self.example is not None:
            self.check(self.example)

    def keywords(self) -> dict[str, Any]:
        """The JSON Schema assertions that hold exactly for the values `check` lets through."""
        raise NotImplementedError

    def check(self, value: Value) -> Value:
        """Return the value of the field.

        Raises:
            Refused: The value breaks the rule.
        """
        raise NotImplementedError

    def parse(self, text: str) -> Value:
        """Read the JSON value out of a path segment or query value; text stands for itself."""
        return text


def _compile(pattern: str) -> re.Pattern[str]:
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise ValueError(f"a pattern must be anchored by ^ and $: {pattern}")
    # Python's $ also matches before a final newline and its \d admits every script's digits;
    # ECMA-262, which JSON Schema follows,
    # does neither.
    return re.compile(pattern[:-1] + r"\Z", re.ASCII)


@attrs.frozen(eq=False, kw_only=True)
class Text(Rule):
    """A string without U+0000; `pattern` is anchored ECMA-262, lengths are in code points."""

    carrier: ClassVar[type] = str

    pattern: str = _WITHOUT_NUL
    min_length: int = 0
    max_length: int | None = None
    format: str = ""
    _search: Any = attrs.field(init=False, repr=False)

    @_search.default
    def _search_default(self) -> Value:
        return None if self.pattern == _WITHOUT_NUL else _compile(self.pattern).search

    def keywords(self) -> dict[str, Any]:
        """The keywords `type`, `pattern` and, where given, the lengths and the format."""
        words: dict[str, Any] = {"type": "string", "pattern": self.pattern}
        if self._search is not None and _OPEN_CLASS.search(self.pattern):
            words["allOf"] = [{"pattern": _WITHOUT_NUL}]
        if self.min_length:
            words["minLength"] = self.min_length
        if self.max_length is not None:
            words["maxLength"] = self.max_length
        if self.format:
            words["format"] = self.format
        return words

    def check(self, value: Value) -> str:
        """Return the string unchanged."""
        if type(value) is not str:
            raise Refused("must be a string")
        if len(value) < self.min_length:
            raise Refused(f"must have at least {self.min_length} characters")
        if self.max_length is not None and len(value) > self.max_length:
            raise Refused(f"must have at most {self.max_length} characters")
        if "\0" in value:
            raise Refused("must not contain the character U+0000")
        if self._search is not None and self._search(value) is None:
            raise Refused(f"must match {self.pattern}")
        return value


@attrs.frozen(eq=False, kw_only=True)
class Number(Rule):
    """An integer within closed bounds, by default bigint's; 5.0, "5" and true are none.

    JSON Schema counts 5.0 among the integers and has no word to exclude it: here alone the check
    is narrower than the schema.
    """

    carrier: ClassVar[type] = int

    minimum: int = INT64_MIN
    maximum: int = INT64_MAX

    def keywords(self) -> dict[str, Any]:
        """The keywords `type`, `format`, `minimum` and `maximum`."""
        return {
            "type": "integer",
            "format": "int64",
            "minimum": self.minimum,
            "maximum": self.maximum,
        }

    def check(self, value: Value) -> int:
        """Return the integer unchanged."""
        if type(value) is not int:
            raise Refused("must be an integer")
        if value < self.minimum:
            raise Refused(f"must be at least {self.minimum}")
        if value > self.maximum:
            raise Refused(f"must be at most {self.maximum}")
        return value

    def parse(self, text: str) -> int:
        """Read a decimal integer without plus sign, leading zeros, spaces or fraction."""
        if not _DECIMAL_INTEGER.match(text):
            raise Refused("must be an integer")
        return int(text)


@attrs.frozen(eq=False, kw_only=True)
class Flag(Rule):
    """True or false, and in a query the words `true` and `false`."""

    carrier: ClassVar[type] = bool

    def keywords(self) -> dict[str, Any]:
        """The keyword `type`."""
        return {"type": "boolean"}

    def check(self, value: Value) -> bool:
        """Return the boolean unchanged."""
        if type(value) is not bool:
            raise Refused("must be true or false")
        return value

    def parse(self, text: str) -> Value:
        """Read the two words."""
        return {"true": True, "false": False}.get(text, text)


@attrs.frozen(eq=False, kw_only=True)
class Instant(Rule):
    """A moment in RFC 3339 with an offset, which becomes a `datetime` in UTC."""

    carrier: ClassVar[type] = datetime

    _search: ClassVar = _compile(_RFC3339).search

    def keywords(self) -> dict[str, Any]:
        """The keywords `type`, `format` and the narrowing `pattern`."""
        return {"type": "string", "format": "date-time", "pattern": _RFC3339}

    def check(self, value: Value) -> datetime:
        """Return the moment in UTC."""
        if type(value) is not str or Instant._search(value) is None:
            raise Refused("must be a date and time in RFC 3339 with an offset")
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Refused("must be a date and time that exists") from error


@attrs.frozen(eq=False, kw_only=True)
class Choice(Rule):
    """One of the named words, each standing for a value (an enum's member, or itself)."""

    carrier: ClassVar[type] = str

    members: dict[str, Any]

    def keywords(self) -> dict[str, Any]:
        """The keywords `type` and `enum`."""
        return {"type": "string", "enum": list(self.members)}

    def check(self, value: Value) -> Value:
        """Return the value the word stands for."""
        if type(value) is not str or value not in self.members:
            raise Refused(f"must be one of {', '.join(self.members)}")
        return self.members[value]


@attrs.frozen(eq=False, kw_only=True)
class Listing(Rule):
    """How many items a list or homogeneous tuple may have; the items have their own rules."""

    carrier: ClassVar[type] = list

    max_items: int | None = None
    min_items: int = 0

    def keywords(self) -> dict[str, Any]:
        """The keywords `type`, `minItems` and `maxItems`."""
        words: dict[str, Any] = {"type": "array"}
        if self.min_items:
            words["minItems"] = self.min_items
        if self.max_items is not None:
            words["maxItems"] = self.max_items
        return words

    def check(self, value: Value) -> list[Any]:
        """Return the list unchanged; its items are checked by the codec."""
        if type(value) is not list:
            raise Refused("must be a list")
        if len(value) < self.min_items:
            raise Refused(f"must have at least {self.min_items} items")
        if self.max_items is not None and len(value) > self.max_items:
            raise Refused(f"must have at most {self.max_items} items")
        return value


@attrs.frozen(eq=False, kw_only=True)
class Mapping(Rule):
    """How many entries a `dict[str, str]` has, and how many code points its keys and values."""

    carrier: ClassVar[type] = dict

    max_entries: int | None = None
    max_key: int | None = None
    max_value: int | None = None
    _key: Text = attrs.field(init=False, repr=False)
    _value: Text = attrs.field(init=False, repr=False)

    @_key.default
    def _key_default(self) -> Text:
        return Text(min_length=1, max_length=self.max_key)

    @_value.default
    def _value_default(self) -> Text:
        return Text(max_length=self.max_value)

    def keywords(self) -> dict[str, Any]:
        """The keywords `type`, `propertyNames`, `additionalProperties` and `maxProperties`."""
        words: dict[str, Any] = {
            "type": "object",
            "propertyNames": self._key.keywords(),
            "additionalProperties": self._entry(),
        }
        if self.max_entries is not None:
            words["maxProperties"] = self.max_entries
        return words

    def check(self, value: Value) -> dict[str, str]:
        """Return the mapping unchanged."""
        if type(value) is not dict:
            raise Refused("must be an object")
        if self.max_entries is not None and len(value) > self.max_entries:
            raise Refused(f"must have at most {self.max_entries} entries")
        for name, entry in value.items():
            try:
                self._key.check(name)
                self._check_entry(entry)
            except Refused as error:
                raise Refused(error.detail, at=(name,)) from None
        return value

    def _entry(self) -> dict[str, Any]:
        return self._value.keywords()

    def _check_entry(self, entry: Value) -> None:
        self._value.check(entry)


class _Partial:
    """Stands for `dict[str, str | None]` where it is said what a rule describes."""


@attrs.frozen(eq=False, kw_only=True)
class Amendment(Mapping):
    """Changes of a mapping as a `dict[str, str | None]`: null stands for an entry that goes."""

    carrier: ClassVar[type] = _Partial

    def _entry(self) -> dict[str, Any]:
        return {"anyOf": [super()._entry(), {"type": "null"}]}

    def _check_entry(self, entry: Value) -> None:
        if entry is not None:
            super()._check_entry(entry)
