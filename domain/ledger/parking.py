"""Parking: an asset whose books and chain disagree moves no money until a person has looked."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import attrs

from domain.shared.money import AssetId


@attrs.frozen
class ParkedAsset:
    """An asset that stands still, and why."""

    asset: AssetId
    reason: str
    entry: str | None
    """The first entry of the books, or of the chain, that the other side does not have."""
    at: datetime


@attrs.frozen
class AssetParked(Exception):
    """The asset moves no money at the moment: its books and its chain disagree."""

    retry_after_seconds: ClassVar = 300

    asset: AssetId
    reason: str

    def __str__(self) -> str:
        return f"{self.asset} is parked: {self.reason}"
