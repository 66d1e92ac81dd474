"""That something does not hold which always must."""

from __future__ import annotations

import attrs


@attrs.frozen
class Broken(BaseException):
    """Something that must always hold does not. Nothing that is simulated can catch this."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


def must(holds: bool, invariant: str, what: str) -> None:  # noqa: FBT001 (it reads as a sentence)
    """Insist on an invariant.

    Raises:
        Broken: it does not hold.
    """
    if not holds:
        raise Broken(invariant, what)
