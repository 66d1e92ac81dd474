"""Identifiers that come in order and are the same in every run."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

from domain.shared.ids import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGITS = 26
"""As many characters as real identifiers have behind their prefix."""


class SequentialIds:
    """Counts each kind from 1: ``pi_00000000000000000000000001``, then ``…2``."""

    def __init__(self, *, seed: int = 0) -> None:
        self._seed = seed
        self._numbers: dict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        self._draws = itertools.count()

    def new(self, kind: str) -> str:
        """Return a new identifier of a kind named in ``domain.shared.ids.PREFIXES``."""
        prefix = PREFIXES[kind]
        return f"{prefix}_{next(self._numbers[kind]):0{_DIGITS}d}"

    def entropy(self, size: int) -> bytes:
        """Return that many bytes: other ones at each call, the same ones in each run."""
        draw = f"{self._seed}/{next(self._draws)}".encode()
        return hashlib.shake_256(draw).digest(size)
