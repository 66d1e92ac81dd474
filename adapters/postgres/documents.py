"""Nested values as JSON documents: the one place where they are written and read.

Reading is strict: an unknown key, an unknown tag or a value of another type is refused, never
coerced, because a document that does not fit is not one that this program wrote.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override
from cattrs.strategies import configure_tagged_union

from domain.chains.instructions import Instruction, ReleaseEscrow
from domain.chains.model import Fact, Transfer, WalletCharged
from domain.intents.model import PayTo
from domain.sandbox.model import Task
from domain.webhooks.model import Try

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")


class DocumentRefused(ValueError):
    """A stored document holds a value of another type than is expected there."""

    def __init__(self, *, expected: type, got: object) -> None:
        super().__init__(f"expected {expected.__name__}, got {got!r}")
        self.expected = expected
        self.got = got


def write(value: object, as_type: Any = None) -> str:  # noqa: ANN401 (a type or a union of types)
    """Return the JSON of a value; for a member of a union, name the union as the type."""
    return write_json(_CONVERTER.unstructure(value, unstructure_as=as_type))


def plain(value: object, as_type: Any = None) -> Any:  # noqa: ANN401 (as above)
    """Return a value as ``write`` writes it, to become part of another document."""
    return _CONVERTER.unstructure(value, unstructure_as=as_type)


def read(stored: object, as_type: type[_Value]) -> _Value:
    """Return the value that a decoded document holds.

    Raises:
        DocumentRefused: a value has another type.
        Exception: cattrs' own errors, where keys are missing, unknown or not a member's tag.
    """
    return _CONVERTER.structure(stored, as_type)


def read_union(stored: object, union: Any) -> Any:  # noqa: ANN401 (unions are no types to mypy)
    """Return the member of a union that a decoded document holds."""
    return _CONVERTER.structure(stored, union)


def _refuse_float(digits: str) -> NoReturn:
    raise DocumentRefused(expected=int, got=digits)


write_json: Callable[[object], str] = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode
"""Turns plain values into JSON. The standard library's encoder keeps integers of any size."""

_decode: Callable[[str], Any] = json.JSONDecoder(parse_float=_refuse_float).decode


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 (JSON is of many types)
    """Turn JSON into plain values; integers keep all their digits, and floats are refused."""
    return _decode(text if isinstance(text, str) else text.decode())


def _exactly(kind: type[_Value]) -> Callable[[object, object], _Value]:
    def structure(stored: object, _: object) -> _Value:
        if type(stored) is not kind:
            raise DocumentRefused(expected=kind, got=stored)
        return stored

    return structure


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=False)
    for kind in (int, str, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    text = _exactly(str)
    # Without a hook of its own a StrEnum is structured as the str that it is as well.
    converter.register_structure_hook(StrEnum, lambda stored, kind: kind(text(stored, str)))
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(
        datetime, lambda stored, _: datetime.fromisoformat(text(stored, str))
    )
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda stored, _: Decimal(text(stored, str)))
    # What only some chains have is left out elsewhere: programs that do not know it can read on.
    left_out = override(omit_if_default=True)
    plain = make_dict_unstructure_fn(Transfer, converter, memo=left_out)
    converter.register_unstructure_hook(Transfer, plain)
    of_hot_wallet = make_dict_unstructure_fn(WalletCharged, converter, wallet=left_out)
    converter.register_unstructure_hook(WalletCharged, of_hot_wallet)
    asked_for = make_dict_unstructure_fn(ReleaseEscrow, converter, due=left_out)
    converter.register_unstructure_hook(ReleaseEscrow, asked_for)
    asked = make_dict_unstructure_fn(Try, converter, simulated=left_out)
    converter.register_unstructure_hook(Try, asked)
    for union in (Fact, Instruction, PayTo, Task):
        configure_tagged_union(union, converter, tag_name="type")
    return converter


_CONVERTER = _converter()
