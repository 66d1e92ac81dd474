"""Two worker processes over one PostgreSQL."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import psycopg
import pytest
import tomli_w

from adapters.evm.wallet_seed import account_xpub
from adapters.notify.webhooks import WebhookPublisher
from config.bootstrap import operator
from config.settings import load
from domain.fees.model import FeeSchedule
from domain.merchants.model import PayoutTerms
from tests.adapters.notify.merchant_server import listening
from tests.builders import an_event
from tests.entrypoints.worker.conftest import SETTINGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ROOT = Path(__file__).parents[3]
XPUB = account_xpub(bytes(64))
EVENTS = 60
PATIENCE_SECONDS = 30


@pytest.fixture
def settings_file(tmp_path: Path, postgres_dsn: str) -> Path:
    told = SETTINGS | {
        "deployment": "demo",
        "database": {"url": postgres_dsn},
        # There is no chain, so the key is needed by name and never read.
        "keys": {"xpub": XPUB, "hot_wallet_file": str(tmp_path / "none")},
        "worker": {"hand_over_every_seconds": 0.1},
        "webhooks": {"allow_private_addresses": True},
    }
    file = tmp_path / "worker.toml"
    file.write_text(tomli_w.dumps(told))
    return file


@asynccontextmanager
async def worker(settings_file: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [
        sys.executable,
        "-m",
        "entrypoints.cli.main",
        "worker",
        f"--settings={settings_file}",
    ]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        yield process
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), 20)
        assert (process.returncode, b"Traceback" in said) == (0, False), said.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until(holds: Callable[[], bool]) -> None:
    for _ in range(PATIENCE_SECONDS * 20):
        if await asyncio.to_thread(holds):
            return
        await asyncio.sleep(0.05)


def _have_begun(dsn: str, workers: int) -> bool:
    """Tell whether so many processes have ended a job."""
    with psycopg.connect(dsn) as connection:
        query = "select distinct runner from job where runner is not null"
        return len(connection.execute(query).fetchall()) >= workers


async def test_each_job_is_run_by_one_of_them(settings_file: Path) -> None:
    settings = load(settings_file)
    dsn = settings.database.url
    async with AsyncExitStack() as stack:
        services = operator(settings)
        for resource in services.resources:
            await stack.enter_async_context(resource)
        merchant = await services.merchants.register(
            name="Ada's bicycles", fees=FeeSchedule(bps=100), payouts=PayoutTerms()
        )
        publisher = WebhookPublisher(timeout_seconds=1, allow_private_addresses=True)
        shop = await stack.enter_async_context(listening(publisher))
        await services.webhooks.register(owner=merchant.id, url=shop.url)
        async with worker(settings_file), worker(settings_file):
            await _until(lambda: _have_begun(dsn, 2))
            async with services.books.begin() as work:
                happened = (
                    attrs.evolve(an_event(f"pi_{number}"), merchant_id=merchant.id)
                    for number in range(EVENTS)
                )
                await work.events.record(*happened)
                await work.commit()
            await _until(lambda: len(shop.arrived) >= EVENTS)

    sent = Counter(request.headers["webhook-id"] for request in shop.arrived)
    assert len(sent) == EVENTS
    assert set(sent.values()) == {1}
    assert len({request.headers["webhook-signature"] for request in shop.arrived}) == EVENTS
