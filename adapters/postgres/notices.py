"""Placeholder."""

from __future__ import annotations
import asyncio


class PostgresJobNotices:
    def __init__(self, *, dsn: str) -> None: ...
    async def __aenter__(self):
        return self

    async def __aexit__(self, *a):
        return None

    async def wait(self, *, seconds: float) -> None:
        await asyncio.sleep(seconds)
