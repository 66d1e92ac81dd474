"""JSON bytes to values and back: cattrs with strict hooks over orjson.

cattrs alone would turn 5.9, "7" and true into integers and any value into a string, which at a
payment API is a way to lose money; every leaf here goes through its `Rule`. Two converters share
the hooks: the fast one answers whether a body is good, and only for a bad one does the detailed
one say why.
"""

from __future__ import annotations

import enum
import functools
import itertools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, get_args

import attrs
import cattrs
import orjson
from cattrs.cols import list_structure_factory
from cattrs.errors import AttributeValidationNote
from cattrs.gen import make_dict_structure_fn
from cattrs.preconf.orjson import make_converter

from entrypoints.http.hints import PLAIN, item_of, optional_of, origin_of, rule_of
from entrypoints.http.problems import ProblemType, Refusal
from entrypoints.http.schema import Listing, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cattrs import Converter

    from entrypoints.http.schema import TypeForm, Value

    Hook = Callable[[Any, Any], Any]

T = TypeVar("T")

FAULTS_MAX = 50


@attrs.frozen(eq=False)
class Malformed(Refusal):
    """The body is not JSON as RFC 8259 and I-JSON (RFC 7493) have it."""

    problem: ClassVar = ProblemType(400, "malformed-json", "Malformed JSON", detail="{reason}")

    reason: str


@attrs.frozen
class Fault:
    """A fault in the body: a JSON pointer (RFC 6901) to its place, and what must hold there."""

    pointer: str
    detail: str

    @classmethod
    def at(cls, path: tuple[str, ...], detail: str) -> Fault:
        """Name the place by its path of member names and indices."""
        escaped = (_shown(step).replace("~", "~0").replace("/", "~1") for step in path)
        return cls("".join(f"/{step}" for step in escaped), detail)


@attrs.frozen
class Misfit:
    """A fault in the query: the name of the parameter, and what must hold for it."""

    parameter: str
    detail: str

    @classmethod
    def at(cls, path: tuple[str, ...], detail: str) -> Misfit:
        """Name the parameter, and with dots what is in it."""
        return cls(".".join(map(_shown, path)), detail)


def _shown(name: str) -> str:
    """Return a name without U+0000: no name of ours has one, so it was refused anyway."""
    return name.replace("\0", "\ufffd")


@attrs.frozen(eq=False)
class Invalid(Refusal):
    """The request is well formed, but breaks the schema."""

    problem: ClassVar = ProblemType(422, "invalid-request", "Invalid request", fields=("errors",))

    errors: tuple[Fault | Misfit, ...]


def parse(raw: bytes) -> tuple[Any, bytes]:
    """Read a JSON text into its value and its canonical bytes (sorted members, no space).

    Raises:
        Malformed: It is not JSON, not UTF-8, nests beyond 254 levels or names a member twice.
    """
    try:
        value = orjson.loads(raw)
        canonical = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError as error:
        raise Malformed(str(error)) from error
    except orjson.JSONEncodeError as error:
        raise Malformed("nested too deeply") from error
    # orjson keeps the last of two members of one name. A text that comes back at its own length
    # lost nothing: the only values orjson writes longer than it read them are floats, and no
    # schema has a float. The second reading costs five times the first.
    if len(canonical) != len(raw):
        try:
            json.loads(raw, object_pairs_hook=_without_duplicates)
        except RecursionError as error:
            raise Malformed("nested too deeply") from error
    return value, canonical


def _without_duplicates(members: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(members)
    if len(result) != len(members):
        raise Malformed("an object names a member twice")
    return result


def reader(kind: type[T], *, textual: bool = False) -> Callable[[Any], T]:
    """Make the function that turns a parsed body into a `kind`.

    With `textual` it reads the words of a query instead. The function raises `Invalid`, naming at
    most `FAULTS_MAX` faults.
    """
    fast = _converter(textual=textual, detailed=False).get_structure_hook(kind)
    detailed = _converter(textual=textual, detailed=True).get_structure_hook(kind)
    fault = Misfit.at if textual else Fault.at

    def read(value: Value) -> T:
        try:
            return fast(value, kind)  # type: ignore[no-any-return] # a kind
        except (KeyError, ValueError, cattrs.ForbiddenExtraKeysError) as first:
            try:
                return detailed(value, kind)  # type: ignore[no-any-return] # a kind
            except (Refused, cattrs.BaseValidationError) as error:
                faults = itertools.islice(_faults(error), FAULTS_MAX)
                raise Invalid(tuple(fault(at, detail) for at, detail in faults)) from first

    return read


def writer(kind: TypeForm) -> Callable[[Any], bytes]:
    """Make the function that renders a `kind` as JSON; moments come out in UTC with Z."""
    hook = _converter(detailed=False).get_unstructure_hook(kind)
    return lambda view: orjson.dumps(hook(view), option=orjson.OPT_UTC_Z)


def render(view: object) -> bytes:
    """Render a view as JSON by its own class: what an endpoint stores to replay later."""
    plain = _converter(detailed=False).unstructure(view)
    return orjson.dumps(plain, option=orjson.OPT_UTC_Z)


def _faults(
    error: BaseException, at: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    match error:
        case cattrs.ClassValidationError() | cattrs.IterableValidationError():
            noted, plain = error.group_exceptions()
            for cause, note in noted:
                step = note.name if isinstance(note, AttributeValidationNote) else note.index
                yield from _faults(cause, (*at, str(step)))
            for cause in plain:
                yield from _faults(cause, at)
        case Refused():
            yield (*at, *map(str, error.at)), error.detail
        case KeyError():
            yield at, "is required"
        case cattrs.ForbiddenExtraKeysError():
            for name in sorted(error.extra_fields):
                yield (*at, name), "is not known here"
        case ValueError():
            yield at, str(error)
        case _:
            raise error


@functools.cache
def _converter(*, detailed: bool, textual: bool = False) -> Converter:
    """Make a converter whose every hook is strict.

    Args:
        detailed: Collect all errors with their places, which costs more.
        textual: Leaves come as text (a query), so rules parse before they check.
    """
    converter = make_converter(
        detailed_validation=detailed, forbid_extra_keys=True, use_alias=True
    )
    converter.register_structure_hook_factory(lambda kind: attrs.has(_origin(kind)))(_fields)
    converter.register_structure_hook_factory(lambda kind: optional_of(kind) is not None)(_option)
    leaf = _text_leaf if textual else _leaf
    converter.register_structure_hook_factory(lambda kind: rule_of(kind) is not None)(leaf)
    # cattrs looks for a hook of the very class before it asks the factories, and its own for these
    # coerce.
    for kind in PLAIN:
        converter.register_structure_hook(kind, leaf(kind, converter))
    # An enum of strings is a str to that look-up, and would come out as one.
    converter.register_structure_hook(
        enum.StrEnum, lambda value, kind: leaf(kind, converter)(value, kind)
    )
    converter.register_unstructure_hook(datetime, _in_utc)
    return converter


def _leaf(kind: TypeForm, converter: Converter) -> Hook:
    rule = rule_of(kind)
    if isinstance(rule, Listing):
        return _sequence(kind, rule, converter)
    check = rule.check  # type: ignore[union-attr] # the predicate found a rule
    return lambda value, _: check(value)


def _text_leaf(kind: TypeForm, converter: Converter) -> Hook:
    rule = rule_of(kind)
    if isinstance(rule, Listing):
        return _sequence(kind, rule, converter)
    check, parsed = rule.check, rule.parse  # type: ignore[union-attr] # the predicate found a rule
    return lambda text, _: check(parsed(text))


def _sequence(kind: TypeForm, rule: Listing, converter: Converter) -> Hook:
    items_kind: Any = list[item_of(kind)]  # type: ignore[misc] # a type made at run time
    items = list_structure_factory(items_kind, converter)
    check = rule.check
    if _origin(kind) is tuple:
        return lambda value, _: tuple(items(check(value), items_kind))
    return lambda value, _: items(check(value), items_kind)


def _option(kind: TypeForm, converter: Converter) -> Hook:
    inner_kind = optional_of(kind)
    inner = converter.get_structure_hook(inner_kind)
    return lambda value, _: None if value is None else inner(value, inner_kind)


def _fields(kind: TypeForm, converter: Converter) -> Hook:
    inner = make_dict_structure_fn(kind, converter)

    def structure(value: Value, _: TypeForm) -> Value:
        # Without this, null and lists would fail inside the generated code as AttributeError.
        if type(value) is not dict:
            raise Refused("must be an object")
        return inner(value, kind)

    return structure


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset cannot be rendered")
    return moment.astimezone(UTC)


def _origin(kind: TypeForm) -> TypeForm:
    while origin_of(kind) is Annotated:
        kind = get_args(kind)[0]
    return origin_of(kind) or kind
