"""The versions of the API, by their dates, and which one a request asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from entrypoints.http.problems import ProblemType, Refusal

if TYPE_CHECKING:
    from starlette.types import Scope

HEADER: Final = "Switchyard-Version"
KNOWN: Final[Sequence[str]] = ("2026-11-21",)
"""Every version that is answered in, the oldest first."""
OLDEST, NEWEST = KNOWN[0], KNOWN[-1]

_NAME = HEADER.lower().encode()
_BY_VALUE = {version.encode(): version for version in KNOWN}


@attrs.frozen(eq=False)
class UnknownApiVersion(Refusal):
    """The request asks once for a version, which is a date, or leaves the header out."""

    problem: ClassVar = ProblemType(
        400,
        "unknown-api-version",
        "Unknown version of the API",
        detail=f"{HEADER} is given once, and is one of {{listed}}.",
        fields=("versions",),
    )

    versions: Sequence[str] = KNOWN

    @property
    def listed(self) -> str:
        """The versions there are, in words."""
        return ", ".join(self.versions)


def version_asked_for(scope: Scope) -> str:
    """Return the version that a request asks for: the oldest one, where it does not say.

    Raises:
        UnknownApiVersion: it is none of ours, no date, or named twice.
    """
    asked = [value for name, value in scope["headers"] if name == _NAME]
    if not asked:
        return OLDEST
    if len(asked) > 1 or asked[0] not in _BY_VALUE:
        raise UnknownApiVersion
    return _BY_VALUE[asked[0]]
