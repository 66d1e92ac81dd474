"""What a type hint says: a value's rule, the types of what is in it, the fields of a class."""

from __future__ import annotations

import enum
import types
import typing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import attrs

from entrypoints.http.schema import (
    Amendment,
    Choice,
    Flag,
    Instant,
    Listing,
    Mapping,
    Number,
    Rule,
    Text,
)

if TYPE_CHECKING:
    from entrypoints.http.schema import TypeForm, Value

PLAIN: dict[Any, Rule] = {str: Text(), int: Number(), bool: Flag(), datetime: Instant()}
"""The rules of types that stand for themselves."""

_MAPPINGS: dict[Any, Rule] = {dict[str, str]: Mapping(), dict[str, str | None]: Amendment()}


def origin_of(kind: TypeForm) -> Value:
    """`typing.get_origin`, without the special forms its stub promises."""
    return typing.get_origin(kind)


def rule_of(kind: TypeForm) -> Rule | None:
    """The rule a type carries; None for a union, a class of fields and what is unknown.

    Raises:
        TypeError: A marker stands on a type it does not describe.
    """
    origin = origin_of(kind)
    if origin is Annotated:
        marked, *metadata = get_args(kind)
        rule = rule_of(marked)
        for marker in metadata:
            if isinstance(marker, Rule):
                if rule is None or rule.carrier is not marker.carrier:
                    raise TypeError(f"{type(marker).__name__} does not describe {marked}")
                rule = marker
        return rule
    if origin is Literal and all(type(word) is str for word in get_args(kind)):
        return Choice(members={word: word for word in get_args(kind)})
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return Choice(members={member.value: member for member in kind})
    if origin is list or (origin is tuple and get_args(kind)[1:] == (...,)):
        return Listing()
    return _MAPPINGS.get(kind) or PLAIN.get(kind)


def item_of(kind: TypeForm) -> TypeForm:
    """The type of the items of a list or tuple, under `Annotated` or not."""
    while origin_of(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_args(kind)[0]


def optional_of(kind: TypeForm) -> TypeForm | None:
    """The `T` of `T | None`, or None for any other type."""
    if origin_of(kind) in (typing.Union, types.UnionType):
        others = [member for member in get_args(kind) if member is not type(None)]
        if len(others) == 1:
            return others[0]
    return None


def fields_of(kind: TypeForm) -> list[tuple[attrs.Attribute[Any], Any]]:
    """The fields of an attrs class (or of `Generic[T]` given its argument) and their types."""
    cls = origin_of(kind) or kind
    arguments = dict(zip(getattr(cls, "__parameters__", ()), get_args(kind), strict=False))
    hints = typing.get_type_hints(cls, include_extras=True)
    return [
        (field, _filled(hints[field.name], arguments)) for field in attrs.fields(cls) if field.init
    ]


def _filled(hint: TypeForm, arguments: dict[TypeForm, TypeForm]) -> TypeForm:
    if hint in arguments:
        return arguments[hint]
    open_parameters = getattr(hint, "__parameters__", ())
    return hint[tuple(arguments[each] for each in open_parameters)] if open_parameters else hint
