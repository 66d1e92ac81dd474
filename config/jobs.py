"""What each kind of job does: one call of one use case."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from config.settings import WrongSettings
from domain.audit.service import SEALED_MAX
from domain.shared.ids import DeliveryId, SandboxOrderId
from domain.shared.money import ChainId
from domain.shared.pace import Cron
from domain.shared.running import Schedule
from domain.webhooks.dispatching import Dispatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from config.bootstrap import WorkerServices, WorkerStars
    from config.settings import Worker
    from domain.shared.pace import Pace
    from domain.shared.running import Handler

log = logging.getLogger(__name__)

ROUNDS_MAX = 50
"""How many ranges of a chain one job reads, or rounds it seals, before others have their turn."""

ANSWERS_MAX = 1000
"""How many expired answers are dropped in one round."""

EVENTS_MAX = 200
"""How many events are handed to the webhooks in one round."""

DESTINATIONS_MAX = 100
"""How many changes of payout destinations are taken up in one round."""

SEALS_MAX = 500
"""How many transactions are sealed in one round."""


class NoStars(Exception):
    """A job about Stars is left of a deployment that took them; this one takes none."""


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
        chain = ChainId(arguments["chain"])
        await services.watcher.find_coins(chain=chain)
        await services.intents.expire_due(chain=chain)

    async def release_escrows(arguments: Mapping[str, str]) -> None:
        del arguments
        await services.escrows.release_due()

    async def sweep_deposits(arguments: Mapping[str, str]) -> None:
        await services.sweeps.sweep(chain=ChainId(arguments["chain"]))

    others = {
        handler.__name__: handler
        for handler in (
            watch_chain,
            send_transactions,
            expire_intents,
            release_escrows,
            sweep_deposits,
        )
    }
    return (
        _of_books(services)
        | _of_audit(services)
        | _of_payouts(services)
        | _of_wallets(services)
        | _of_webhooks(services)
        | _of_upkeep(services)
        | _of_stars(services)
        | _of_test_accounts(services)
        | _of_platform(services)
        | others
    )


def _of_payouts(services: WorkerServices) -> dict[str, Handler]:
    """Return the handlers of what pays merchants out, and where to."""

    async def run_settlements(arguments: Mapping[str, str]) -> None:
        del arguments
        await services.settlements.run()

    async def apply_destinations(arguments: Mapping[str, str]) -> None:
        del arguments
        for _ in range(ROUNDS_MAX):
            if await services.destinations.apply_due(limit=DESTINATIONS_MAX) < DESTINATIONS_MAX:
                return

    return {handler.__name__: handler for handler in (run_settlements, apply_destinations)}


def _of_upkeep(services: WorkerServices) -> dict[str, Handler]:
    """Return the handlers of what keeps tables from growing for ever."""

    async def prune_jobs(arguments: Mapping[str, str]) -> None:
        del arguments
        await services.jobs.prune()

    async def forget_answers(arguments: Mapping[str, str]) -> None:
        del arguments
        for _ in range(ROUNDS_MAX):
            if await services.answers.forget(limit=ANSWERS_MAX) < ANSWERS_MAX:
                return

    async def prune_test_orders(arguments: Mapping[str, str]) -> None:
        del arguments
        await _until_none(services.sandbox.prune)

    async def prune_key_usage(arguments: Mapping[str, str]) -> None:
        del arguments
        await _until_none(services.usage.prune)

    return {
        handler.__name__: handler
        for handler in (prune_jobs, forget_answers, prune_test_orders, prune_key_usage)
    }


async def _until_none(prune: Callable[[], Awaitable[int]]) -> None:
    """Drop what is old, some at a time, until there is none or others shall have their turn."""
    for _ in range(ROUNDS_MAX):
        if await prune() == 0:
            return


def _of_audit(services: WorkerServices) -> dict[str, Handler]:
    """Return the handler of what seals the audit log."""

    async def seal_audit(arguments: Mapping[str, str]) -> None:
        del arguments
        for _ in range(ROUNDS_MAX):
            if await services.audit.seal() < SEALED_MAX:
                return

    return {seal_audit.__name__: seal_audit}


def _of_test_accounts(services: WorkerServices) -> dict[str, Handler]:
    """Return the handler of what test accounts order for themselves."""

    async def carry_out_test_order(arguments: Mapping[str, str]) -> None:
        await services.sandbox.carry_out(order_id=SandboxOrderId(arguments["order"]))

    return {carry_out_test_order.__name__: carry_out_test_order}


def _of_platform(services: WorkerServices) -> dict[str, Handler]:
    """Return the handlers of what operators are told."""

    async def look_at_chain(arguments: Mapping[str, str]) -> None:
        await services.platform.look_at_chain(chain=ChainId(arguments["chain"]))

    async def look_at_queues(arguments: Mapping[str, str]) -> None:
        del arguments
        await services.platform.look_at_queues()

    async def prune_platform_events(arguments: Mapping[str, str]) -> None:
        del arguments
        await _until_none(services.platform.prune)

    return {
        handler.__name__: handler
        for handler in (look_at_chain, look_at_queues, prune_platform_events)
    }


def _of_wallets(services: WorkerServices) -> dict[str, Handler]:
    """Return the handlers of what keeps wallets filled, and not too full."""

    async def rebalance_wallets(arguments: Mapping[str, str]) -> None:
        await services.treasury.rebalance(chain=ChainId(arguments["chain"]))

    async def check_gas_tanks(arguments: Mapping[str, str]) -> None:
        await services.treasury.check_tank(chain=ChainId(arguments["chain"]))

    return {handler.__name__: handler for handler in (rebalance_wallets, check_gas_tanks)}


def _of_webhooks(services: WorkerServices) -> dict[str, Handler]:
    """Return the handlers of what tells merchants what happened."""
    webhooks = services.webhooks
    dispatch = Dispatch(
        webhooks.begin, webhooks.clock, webhooks.ids, webhooks.publisher, services.errands
    )

    async def hand_over_events(arguments: Mapping[str, str]) -> None:
        del arguments
        for _ in range(ROUNDS_MAX):
            if await services.webhooks.hand_over(limit=EVENTS_MAX) < EVENTS_MAX:
                return

    async def deliver_webhooks(arguments: Mapping[str, str]) -> None:
        del arguments
        await dispatch.run()

    async def deliver_webhook(arguments: Mapping[str, str]) -> None:
        # Nothing promises it any more: it is left of the version before.
        await services.webhooks.deliver(delivery_id=DeliveryId(arguments["delivery"]))

    async def prune_deliveries(arguments: Mapping[str, str]) -> None:
        del arguments
        await _until_none(services.webhooks.prune)

    return {
        handler.__name__: handler
        for handler in (hand_over_events, deliver_webhooks, deliver_webhook, prune_deliveries)
    }


def _of_books(services: WorkerServices) -> dict[str, Handler]:
    """Return the handlers of what keeps the books right, valued and sealed."""

    async def reconcile(arguments: Mapping[str, str]) -> None:
        await services.conservation.reconcile(chain=ChainId(arguments["chain"]))

    async def seal_books(arguments: Mapping[str, str]) -> None:
        del arguments
        for _ in range(ROUNDS_MAX):
            if await services.sealing.seal(limit=SEALS_MAX) < SEALS_MAX:
                return

    async def keep_rates(arguments: Mapping[str, str]) -> None:
        del arguments
        await services.valuation.keep_rates()

    async def expire_holds(arguments: Mapping[str, str]) -> None:
        del arguments
        await services.books.expire_holds()

    return {
        handler.__name__: handler for handler in (reconcile, seal_books, keep_rates, expire_holds)
    }


def _of_stars(services: WorkerServices) -> dict[str, Handler]:
    """Return the handlers of payments in Stars.

    Where none are taken they raise ``NoStars``: a refund that is promised must not count as done.
    """

    def rail() -> WorkerStars:
        if services.stars is None:
            raise NoStars
        return services.stars

    async def refund_stars(arguments: Mapping[str, str]) -> None:
        del arguments
        await rail().service.carry_out_refunds()

    async def reconcile_stars(arguments: Mapping[str, str]) -> None:
        del arguments
        report = await rail().reconciliation.reconcile()
        if report.missing:
            log.warning("Telegram's list does not have charges of ours: %s", report.missing)
        if report.unexplained:
            log.warning("Stars have moved past the books: %s", report.unexplained)

    async def mature_stars(arguments: Mapping[str, str]) -> None:
        del arguments
        await rail().service.mature()

    return {handler.__name__: handler for handler in (refund_stars, reconcile_stars, mature_stars)}


def schedules(
    settings: Worker, chains: Sequence[ChainId], *, with_stars: bool = False
) -> tuple[Schedule, ...]:
    """Return the jobs that come back, one of each for the whole deployment.

    Raises:
        WrongSettings: the settings give a pace to a job that does not come back.
    """
    per_chain = (
        ("watch_chain", settings.watch_every_seconds),
        ("send_transactions", settings.watch_every_seconds),
        ("expire_intents", settings.expire_every_seconds),
        ("sweep_deposits", settings.sweep_every_seconds),
        ("reconcile", settings.reconcile_every_seconds),
        ("rebalance_wallets", settings.rebalance_wallets_every_seconds),
        ("check_gas_tanks", settings.check_tanks_every_seconds),
        ("look_at_chain", settings.look_at_chains_every_seconds),
    )
    of_stars = (
        ("refund_stars", settings.refund_stars_every_seconds),
        ("reconcile_stars", settings.reconcile_stars_every_seconds),
        ("mature_stars", settings.mature_stars_every_seconds),
    )
    overall = (
        ("release_escrows", settings.release_every_seconds),
        ("run_settlements", settings.settle_every_seconds),
        ("apply_destinations", settings.apply_destinations_every_seconds),
        ("hand_over_events", settings.hand_over_every_seconds),
        ("deliver_webhooks", settings.deliver_every_seconds),
        ("prune_deliveries", settings.prune_every_seconds),
        ("seal_books", settings.seal_every_seconds),
        ("seal_audit", settings.seal_every_seconds),
        ("keep_rates", settings.keep_rates_every_seconds),
        ("expire_holds", settings.expire_holds_every_seconds),
        ("prune_jobs", settings.prune_every_seconds),
        ("forget_answers", settings.prune_every_seconds),
        ("prune_test_orders", settings.prune_every_seconds),
        ("prune_key_usage", settings.prune_every_seconds),
        ("look_at_queues", settings.look_at_queues_every_seconds),
        ("prune_platform_events", settings.prune_every_seconds),
        *(of_stars if with_stars else ()),
    )
    paces = {name: _pace(name, every, settings) for name, every in (*per_chain, *overall)}
    if unknown := settings.schedules.keys() - paces.keys():
        raise WrongSettings(
            tuple(f"no such schedule @ settings.worker.schedules.{name}" for name in unknown)
        )
    return (
        *(
            Schedule(name, paces[name], {"chain": chain})
            for chain in chains
            for name, _ in per_chain
        ),
        *(Schedule(name, paces[name]) for name, _ in overall),
    )


def _pace(name: str, every_seconds: float, settings: Worker) -> Pace:
    pace = settings.schedules.get(name, timedelta(seconds=every_seconds))
    return Cron(pace.expression, settings.time_zone) if isinstance(pace, Cron) else pace
