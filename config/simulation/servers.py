"""Merchants' servers: what they have accepted, and how they fail for a while."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from domain.webhooks.model import Try

if TYPE_CHECKING:
    from config.simulation.process import Process

TIMEOUT = timedelta(seconds=15)
"""How long a silent server is waited for."""
SLOWNESS = timedelta(seconds=27)
"""How long a slow server takes to answer: longer than a job's lease."""


@attrs.frozen
class Illness:
    """How a server fails, and how long."""

    kind: str
    """``500``, ``410``, ``302``, ``timeout``, ``slow``, or ``deaf``: done, the answer lost."""
    until: datetime


class Servers:
    """All merchants' servers, by address."""

    def __init__(self) -> None:
        self.accepted: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """How often each message was accepted, by address and message."""
        self.failures = 0
        self._ill: dict[str, Illness] = {}

    def fail(self, url: str, illness: Illness) -> None:
        """Have a server fail from now on."""
        self._ill[url] = illness

    def heal(self) -> None:
        """Have every server answer."""
        self._ill.clear()

    def illness_of(self, url: str, now: datetime) -> str | None:
        """Return how a server fails now."""
        illness = self._ill.get(url)
        return illness.kind if illness is not None and now < illness.until else None


class Post:
    """One process's way to merchants' servers: its ``Publisher``."""

    def __init__(self, servers: Servers, process: Process) -> None:
        self._servers = servers
        self._process = process

    async def post(
        self,
        *,
        url: str,
        secret: str,
        message_id: str,
        at: datetime,
        body: bytes,
        former_secret: str | None = None,
        hex_signature: bool = False,
    ) -> Try:
        """Send one message."""
        del secret, body, former_secret, hex_signature
        await self._process.stop()
        illness = self._servers.illness_of(url, self._process.turns.clock.now())
        if illness is not None:
            self._servers.failures += 1
        if illness == "slow":
            await self._process.sleep(SLOWNESS)
        elif illness in {"timeout", "deaf"}:
            await self._process.sleep(TIMEOUT)
        if illness in {None, "slow", "deaf"}:
            self._servers.accepted[url][message_id] += 1
        await self._process.stop()
        match illness:
            case None | "slow":
                return Try(at=at, status=200, detail="")
            case "timeout" | "deaf":
                return Try(at=at, status=None, detail="no answer: timed out")
            case _:
                return Try(at=at, status=int(illness), detail=f"status {illness}")
