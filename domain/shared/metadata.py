"""Metadata: a merchant's own words beside an object, by key, which mean nothing to the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRIES_MAX: Final = 20
"""How many entries an object has at most."""

KEY_MAX: Final = 40
"""How many characters a key has at most."""

VALUE_MAX: Final = 500
"""How many characters a value has at most."""


@attrs.frozen
class TooMuchMetadata(ValueError):
    """An object would have more entries than there may be; it is left as it was."""

    maximum: int


def merged(before: Mapping[str, str], changes: Mapping[str, str | None]) -> Mapping[str, str]:
    """Return metadata with changes made to it: what they do not name stays as it is.

    A key that is given nothing, None or an empty text, is removed. Changes that were made before
    change nothing when they are made again.

    Raises:
        TooMuchMetadata: more than ``ENTRIES_MAX`` would be left.
    """
    kept = {key: value for key, value in before.items() if key not in changes}
    after = {**kept, **{key: value for key, value in changes.items() if value}}
    if len(after) > ENTRIES_MAX:
        raise TooMuchMetadata(ENTRIES_MAX)
    return after
