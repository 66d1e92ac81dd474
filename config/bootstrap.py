"""From settings to finished services: the only way from an entrypoint into the adapters.

The API's process is given no key and cannot build what signs; the worker's is.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import attrs

from adapters.postgres.migrate import current, upgrade
from config.containers.services import Services
from config.deployments.demo import DemoAdapters
from config.deployments.testing import TestingAdapters
from config.lifetimes import node_open, storage_open
from domain.chains.sending import Sender
from domain.chains.service import ChainWatcher
from domain.escrow.service import EscrowService
from domain.intents.service import IntentService
from domain.ledger.service import LedgerService
from domain.merchants.service import MerchantService
from domain.settlements.service import SettlementService
from domain.shared.money import Assets, ChainId
from domain.webhooks.service import WebhookService
from ports.clock import Clock
from ports.ids import Ids
from ports.jobs import JobNotices
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from config.settings import Settings


@attrs.frozen(kw_only=True)
class ApiServices:
    """What the HTTP API stands on. ``resources`` are opened and closed with the process."""

    assets: Assets
    cursor_key: bytes = attrs.field(repr=False)
    merchants: MerchantService
    intents: IntentService
    escrows: EscrowService
    settlements: SettlementService
    books: LedgerService
    webhooks: WebhookService
    resources: Sequence[AbstractAsyncContextManager[object]]


@attrs.frozen(kw_only=True)
class WorkerServices:
    """What the worker stands on, keys that sign included."""

    chains: Sequence[ChainId]
    clock: Clock
    ids: Ids
    begin: Begin
    notices: JobNotices
    watcher: ChainWatcher
    sender: Sender
    intents: IntentService
    escrows: EscrowService
    settlements: SettlementService
    webhooks: WebhookService
    resources: Sequence[AbstractAsyncContextManager[object]]


@attrs.frozen(kw_only=True)
class OperatorServices:
    """What operators' commands stand on: no key that signs."""

    chains: Sequence[ChainId]
    assets: Assets
    merchants: MerchantService
    settlements: SettlementService
    books: LedgerService
    webhooks: WebhookService
    watcher: ChainWatcher
    resources: Sequence[AbstractAsyncContextManager[object]]


def container(settings: Settings) -> Services:
    """Compose the services of the deployment that the settings name.

    Raises:
        dependency_injector.errors.Error: an adapter is missing.
    """
    adapters = {"demo": DemoAdapters, "testing": TestingAdapters}[settings.deployment]
    services = Services(settings=settings, adapters=adapters(settings=settings))
    services.check_dependencies()
    return services


def migrate(settings: Settings) -> str | None:
    """Bring the schema up to date; return the revision it is at now."""
    upgrade(settings.database.url)
    return current(settings.database.url)


def api(settings: Settings) -> ApiServices:
    """Build what the API needs; a setting that names a private key is never read here."""
    services = container(settings)
    return ApiServices(
        assets=services.adapters.assets(),
        cursor_key=settings.http.cursor_key.encode(),
        merchants=services.merchants(),
        intents=services.intents(),
        escrows=services.escrows(),
        settlements=services.settlements(),
        books=services.books(),
        webhooks=services.webhooks(),
        resources=[
            storage_open(services.adapters.storage()),
            services.adapters.publisher(),
        ],
    )


def operator(settings: Settings) -> OperatorServices:
    """Build what operators' commands need; no private key is read here either."""
    services = container(settings)
    return OperatorServices(
        chains=tuple(services.adapters.places()),
        assets=services.adapters.assets(),
        merchants=services.merchants(),
        settlements=services.settlements(),
        books=services.books(),
        webhooks=services.webhooks(),
        watcher=services.watcher(),
        resources=[
            storage_open(services.adapters.storage()),
            *(node_open(node) for node in services.adapters.nodes().values()),
        ],
    )


def worker(settings: Settings) -> WorkerServices:
    """Build what the worker needs.

    Raises:
        WrongSettings: no hot wallet key is named.
        KeyFileRefused: the key file is missing, or others may read it.
    """
    services = container(settings)
    return WorkerServices(
        chains=tuple(services.adapters.places()),
        clock=services.adapters.clock(),
        ids=services.adapters.ids(),
        begin=services.adapters.storage().begin,
        notices=services.adapters.notices(),
        watcher=services.watcher(),
        sender=services.sender(),
        intents=services.intents(),
        escrows=services.escrows(),
        settlements=services.settlements(),
        webhooks=services.webhooks(),
        resources=[
            storage_open(services.adapters.storage()),
            services.adapters.notices(),
            services.adapters.publisher(),
            *(node_open(node) for node in services.adapters.nodes().values()),
        ],
    )
