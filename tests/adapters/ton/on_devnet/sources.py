"""Liteservers, a toncenter on the same chain, and who watches both."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.toncenter import DevnetToncenter
from adapters.ton.liteservers import Liteservers
from adapters.ton.second_source import Sources
from adapters.ton.settings import TESTNET, TonChain
from adapters.ton.toncenter import Toncenter
from tests.adapters.ton.on_devnet.gateway import COIN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.ton.second_source import Standing

START = 1_790_000_000
KEY = "a-key-of-nobody-0123456789abcdef"
PATIENCE = 0.2
ALWAYS = 1e-6
"""So soon it is asked again, and after ten silences a thousand times as late."""


@attrs.define
class Watch:
    """A clock that goes when it is told to; the chain's goes otherwise."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def advance(self, *, seconds: int) -> None:
        self.time += timedelta(seconds=seconds)


@attrs.frozen(kw_only=True)
class Watched:
    devnet: TonDevnet
    toncenter: DevnetToncenter
    settings: TonChain
    servers: Liteservers
    sources: Sources
    clock: Watch

    def liteservers(self) -> tuple[Standing, datetime]:
        return self.sources.liteservers.standing, self.sources.liteservers.since

    def second(self) -> tuple[Standing, datetime]:
        return self.sources.second.standing, self.sources.second.since


@asynccontextmanager
async def watched(
    devnet: TonDevnet,
    *,
    config: dict[str, Any] | None = None,
    alone: bool = False,
    required: bool = False,
    seconds: float = ALWAYS,
    lag_blocks: int = 50,
) -> AsyncIterator[Watched]:
    """Connect to a devnet and to a toncenter on it; to liteservers only if ``alone``."""
    async with DevnetToncenter(devnet.chain, key=KEY) as toncenter:
        settings = TonChain(
            global_id=TESTNET,
            config=config or devnet.config(),
            native=COIN,
            request_timeout_seconds=1,
            lag_blocks=lag_blocks,
            toncenter_url=toncenter.url,
            toncenter_key=KEY,
            toncenter_seconds=seconds,
            toncenter_required=required,
        )
        clock = Watch(datetime.fromtimestamp(START, tz=UTC))
        async with (
            Liteservers(settings) as servers,
            Toncenter(toncenter.url, key=KEY, timeout_seconds=PATIENCE) as second,
        ):
            yield Watched(
                devnet=devnet,
                toncenter=toncenter,
                settings=settings,
                servers=servers,
                sources=Sources(servers, settings, clock=clock, second=None if alone else second),
                clock=clock,
            )


def devnet(liteservers: int = 1) -> TonDevnet:
    """Return a chain whose time stands still and which mines on demand."""
    return TonDevnet(block_seconds=0, liteservers=liteservers, clock=lambda: START)
