"""Test and live: two worlds that share a program, and nothing that can be paid with."""

from __future__ import annotations

import enum


class Mode(enum.StrEnum):
    """Whether money is real."""

    TEST = "test"
    """Coins of devnets and testnets, which are worth nothing."""
    LIVE = "live"
