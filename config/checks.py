"""Checks that settings of more than one kind have in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import attrs


def loopback_or_tls(instance: object, attribute: attrs.Attribute[Any], value: str) -> None:
    """Let a URL lead to this machine, or be of TLS.

    Raises:
        ValueError: it is neither.
    """
    del instance
    url = urlsplit(value)
    here = url.scheme == "http" and url.hostname in {"127.0.0.1", "localhost", "::1"}
    if not here and url.scheme != "https":
        raise ValueError(f"{attribute.name} must use https outside this machine")


def positive(instance: object, attribute: attrs.Attribute[Any], value: float) -> None:
    """Let a number be more than 0, and not without end.

    Raises:
        ValueError: it is not.
    """
    del instance
    if not 0 < value < math.inf:
        raise ValueError(f"{attribute.name} must be more than 0")
