"""Whose rows are shown to what runs now, where the database keeps merchants apart.

Nothing is shown to nobody. Code of the gateway's own that runs in the API's process, for all
merchants at once or before it is known who asks, says so at its edge, in ``seeing_all``; it never
does so around anything that a merchant asked for.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from domain.shared.actors import acting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.shared.ids import MerchantId

NOBODY: Final = ""
EVERYBODY: Final = "*"
"""No merchant is called so."""

_all: Final[ContextVar[bool]] = ContextVar("seeing_all", default=False)


def shown() -> MerchantId | str:
    """Return whose rows may be seen and written now: a merchant's, ``EVERYBODY`` or ``NOBODY``.

    Operators belong to no merchant, and see all.
    """
    if _all.get():
        return EVERYBODY
    actor = acting()
    if actor is None:
        return NOBODY
    return actor.merchant_id or EVERYBODY


@contextlib.contextmanager
def seeing_all() -> Iterator[None]:
    """See the rows of all merchants in this block."""
    token = _all.set(True)
    try:
        yield
    finally:
        _all.reset(token)
