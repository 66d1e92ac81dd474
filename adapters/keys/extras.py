"""Optional packages: loaded where they are needed, and named where they are missing."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from types import ModuleType


@attrs.frozen
class ExtraMissing(Exception):
    """The settings need an optional package. Install switchyard-gateway with this extra."""

    extra: str
    package: str


def optional(package: str, *, extra: str) -> ModuleType:
    """Return a package that an extra of this distribution brings.

    Raises:
        ExtraMissing: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ExtraMissing(extra, package) from error
