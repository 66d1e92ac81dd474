"""How a process that serves for long collects garbage: seldom, and not what it was loaded with."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

THRESHOLDS = (20_000, 20, 20)
"""Objects made before the youngest are looked at, and collections before older ones are.

A request makes some thousands, nearly all of which are gone with it by their reference counts;
CPython's own 700 looks at them in vain, for a tenth of a request's CPU time (``tox -e bench``).
"""


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Collect garbage as a server should, from here on: what is loaded by now stays to the end.

    Unfrozen, every full collection would look at all of it again, and everything under way would
    wait for that.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
