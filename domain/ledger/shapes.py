"""Shapes of JSON: what a document has to look like before anything in it is believed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

Shape: TypeAlias = Callable[[object, str], Iterator[str]]
"""Says what is wrong with a value, given where it stands; nothing where all is well."""


def text(pattern: str = "(?s:.*)") -> Shape:
    """Ask for a text that matches a pattern as a whole."""
    wanted = re.compile(pattern)

    def look(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, str) or not wanted.fullmatch(value):
            yield f"{where} is not written as it should be"

    return look


def number(value: object, where: str) -> Iterator[str]:
    """Ask for a whole number."""
    if type(value) is not int:
        yield f"{where} is not a whole number"


def maybe(shape: Shape) -> Shape:
    """Ask for a shape, or for nothing."""

    def look(value: object, where: str) -> Iterator[str]:
        if value is not None:
            yield from shape(value, where)

    return look


def each(shape: Shape) -> Shape:
    """Ask for a list, and for a shape of all that is in it."""

    def look(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where} is not a list"
            return
        for place, item in enumerate(value):
            yield from shape(item, f"{where}.{place}")

    return look


def members(shapes: dict[str, Shape]) -> Shape:
    """Ask for an object with these members, and no others."""

    def look(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, dict) or value.keys() != shapes.keys():
            yield f"{where} has not the members {', '.join(shapes)}"
            return
        for name, shape in shapes.items():
            yield from shape(value[name], f"{where}.{name}")

    return look
