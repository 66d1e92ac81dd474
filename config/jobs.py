"""What each kind of job does: one call of one use case."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from domain.shared.ids import DeliveryId
from domain.shared.money import ChainId
from domain.shared.running import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.bootstrap import WorkerServices
    from config.settings import Worker
    from domain.shared.running import Handler

ROUNDS_MAX = 50
"""How many ranges of a chain one job reads before it lets others have their turn."""


def handlers(services: WorkerServices) -> dict[str, Handler]:
    """Return the handler of each kind of job. Arguments that one does not know it ignores."""

    async def watch_chain(arguments: Mapping[str, str]) -> None:
        for _ in range(ROUNDS_MAX):
            progress = await services.watcher.watch(chain=ChainId(arguments["chain"]))
            if not progress.behind:
                return

    async def send_transactions(arguments: Mapping[str, str]) -> None:
        await services.sender.send(chain=ChainId(arguments["chain"]))

    async def expire_intents(arguments: Mapping[str, str]) -> None:
        await services.intents.expire_due(chain=ChainId(arguments["chain"]))

    async def release_escrows(arguments: Mapping[str, str]) -> None:
        del arguments
        await services.escrows.release_due()

    async def run_settlements(arguments: Mapping[str, str]) -> None:
        del arguments
        await services.settlements.run()

    async def hand_over_events(arguments: Mapping[str, str]) -> None:
        del arguments
        await services.webhooks.hand_over()

    async def deliver_webhook(arguments: Mapping[str, str]) -> None:
        await services.webhooks.deliver(delivery_id=DeliveryId(arguments["delivery"]))

    return {
        handler.__name__: handler
        for handler in (
            watch_chain,
            send_transactions,
            expire_intents,
            release_escrows,
            run_settlements,
            hand_over_events,
            deliver_webhook,
        )
    }


def schedules(settings: Worker, chains: Sequence[ChainId]) -> tuple[Schedule, ...]:
    """Return the jobs that come back, one of each for the whole deployment."""
    per_chain = (
        ("watch_chain", settings.watch_every_seconds),
        ("send_transactions", settings.watch_every_seconds),
        ("expire_intents", settings.expire_every_seconds),
    )
    overall = (
        ("release_escrows", settings.release_every_seconds),
        ("run_settlements", settings.settle_every_seconds),
        ("hand_over_events", settings.hand_over_every_seconds),
    )
    return (
        *(
            Schedule(name, timedelta(seconds=every), {"chain": chain})
            for chain in chains
            for name, every in per_chain
        ),
        *(Schedule(name, timedelta(seconds=every)) for name, every in overall),
    )
