"""E-mail addresses of people: one way to write each."""

from __future__ import annotations

import re
from typing import Final

import attrs

LETTERS_MAX: Final = 254
"""The longest address that a mail server takes (RFC 5321, section 4.5.3.1.3)."""

_ADDRESS = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f.]+")


@attrs.frozen
class MalformedEmail(ValueError):
    """The text is no e-mail address."""

    text: str


def fold(text: str) -> str:
    """Return an e-mail address as it is stored and compared: without blanks around, in one case.

    A server may tell capitals apart before the ``@``; none is known that does, and two people of
    one address but for that would be a trap.

    Raises:
        MalformedEmail: it is none.
    """
    folded = text.strip().casefold()
    if len(folded) > LETTERS_MAX or not _ADDRESS.fullmatch(folded):
        raise MalformedEmail(text[:LETTERS_MAX])
    return folded
