"""What a benchmark says: figures, each beside its reference, one line each."""

from __future__ import annotations

import json

import attrs

COLUMNS = ("name", "value", "unit", "reference", "ratio", "cpu_seconds", "against")


@attrs.frozen
class Discrepancy(Exception):
    """What was counted after a run is not what was done in it: the figures mean nothing."""

    what: str
    expected: object
    found: object

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, found {self.found}"


@attrs.frozen(kw_only=True)
class Figure:
    """One measured figure.

    ``reference`` is in the same unit and was measured in the same run; ``against`` says what it
    is. ``cpu_seconds`` is what the measured processes spent, the load generator's excluded.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    against: str = ""
    cpu_seconds: float | None = None

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the reference."""
        return self.value / self.reference if self.reference else None


def as_line(figure: Figure) -> str:
    """Write a figure as tab-separated columns; what there is none of is a dash."""
    values = (getattr(figure, column) for column in COLUMNS)
    return "\t".join(_text(value) for value in values)


def as_json(figure: Figure) -> str:
    """Write a figure as one line of JSON."""
    return json.dumps({column: getattr(figure, column) for column in COLUMNS})


def expect(what: str, *, expected: object, found: object) -> None:
    """Compare a count with what it has to be.

    Raises:
        Discrepancy: it is something else.
    """
    if expected != found:
        raise Discrepancy(what, expected, found)


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 1000 else _whole(value)


def _whole(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)
