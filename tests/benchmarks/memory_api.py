"""The API over a store in memory: ``switchyard serve`` with nothing else changed.

``python -m tests.benchmarks.memory_api settings.toml key_file`` writes the API key of its one
merchant to the second file, and serves until it is stopped.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from dependency_injector import providers

from adapters.memory.store import Store
from config.bootstrap import ApiServices
from config.containers.services import Services
from config.deployments.demo import DemoAdapters
from config.settings import load
from domain.fees.model import FeeSchedule
from entrypoints.cli.lifetime import stop_with_parent
from entrypoints.http.app import create_app

if TYPE_CHECKING:
    from config.settings import Settings


def services_in_memory(settings: Settings) -> ApiServices:
    """Build what the API needs over the demo's adapters, all but its storage."""
    adapters = DemoAdapters(settings=settings)
    store = Store(clock=adapters.clock(), ids=adapters.ids())
    adapters.storage.override(providers.Object(store))
    services = Services(settings=settings, adapters=adapters)
    return ApiServices(
        assets=adapters.assets(),
        cursor_key=settings.http.cursor_key.encode(),
        merchants=services.merchants(),
        intents=services.intents(),
        customers=services.customers(),
        explaining=services.explaining(),
        escrows=services.escrows(),
        settlements=services.settlements(),
        destinations=services.destinations(),
        books=services.books(),
        webhooks=services.webhooks(),
        webhook_endpoints=services.webhook_endpoints(),
        network_fees=services.network_fees(),
        sandbox=services.sandbox(),
        usage=services.usage(),
        audit=services.audit(),
        limits=services.limits(),
        resources=[],
    )


async def merchant_key(services: ApiServices) -> str:
    """Take on a merchant and return his API key."""
    merchant = await services.merchants.register(name="Bench", fees=FeeSchedule(250))
    return await services.merchants.issue_key(merchant_id=merchant.id)


def main(settings_file: Path, key_file: Path) -> None:
    """Serve as ``switchyard serve`` does."""
    stop_with_parent()
    settings = load(settings_file)
    services = services_in_memory(settings)
    key_file.write_text(asyncio.run(merchant_key(services)))
    uvicorn.run(
        create_app(services),
        host=settings.http.host,
        port=settings.http.port,
        access_log=False,
        log_config=None,
        server_header=False,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
