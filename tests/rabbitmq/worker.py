"""A worker process whose deliveries are written down in a file instead of being sent.

``python -m tests.rabbitmq.worker SETTINGS FILE``; a delivery whose name begins with ``slow`` takes
as long as anybody waits for it, the first time, and ``short`` ones a moment.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from config.bootstrap import worker
from config.settings import load
from domain.webhooks.service import WebhookService
from entrypoints.worker.main import Worker

if TYPE_CHECKING:
    from domain.shared.ids import DeliveryId
    from domain.webhooks.model import Delivery

FOREVER_SECONDS = 600
MOMENT_SECONDS = 0.02


@attrs.frozen
class Written(WebhookService):
    """Deliveries as lines of a file: which, and by whom."""

    file: Path = attrs.field(kw_only=True)

    async def deliver(self, *, delivery_id: DeliveryId) -> Delivery:
        known = self.file.read_text() if self.file.exists() else ""
        with self.file.open("a") as lines:
            lines.write(f"{delivery_id} {os.getpid()}\n")
        if delivery_id.startswith("slow") and f"{delivery_id} " not in known:
            await asyncio.sleep(FOREVER_SECONDS)
        await asyncio.sleep(MOMENT_SECONDS if delivery_id.startswith("short") else 0)
        return None  # type: ignore[return-value]  # Nobody looks at it.


def main(settings_file: str, written: str) -> None:
    """Work until told to stop."""
    logging.basicConfig(level=logging.WARNING)
    settings = load(Path(settings_file))
    services = worker(settings)
    real = services.webhooks
    webhooks = Written(real.begin, real.clock, real.ids, real.publisher, file=Path(written))
    running = Worker(attrs.evolve(services, webhooks=webhooks), settings.worker)
    signal.signal(signal.SIGTERM, lambda *_: running.stop())
    running.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
