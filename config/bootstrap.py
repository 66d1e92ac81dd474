"""From settings to finished services: the only way from an entrypoint into the adapters.

The API's process is given no key that signs and cannot build what does; the worker's is. All
have the ring that opens secrets in the database. Where Stars are taken both have the bot's token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING

import attrs

from adapters.postgres.migrate import current, upgrade
from adapters.postgres.storage import API_ROLE
from adapters.system.side_by_side import SideBySide
from config.containers.services import Services
from config.deployments.demo import DemoAdapters
from config.deployments.testing import TestingAdapters
from config.key_ring import tell_of_clear
from config.lifetimes import node_open, sandbox_open, storage_open
from config.operators import operators
from config.seeding import devnet_destinations
from domain.at_rest.service import AtRestService
from domain.audit.service import AuditService
from domain.chains.canceling import Canceling
from domain.chains.sending import Sender
from domain.chains.service import ChainWatcher
from domain.customers.service import CustomerService
from domain.destinations.service import DestinationService
from domain.escrow.service import EscrowService
from domain.explaining.service import ExplainingService
from domain.intents.service import IntentService
from domain.jobs.service import JobService
from domain.ledger.conservation import Conservation
from domain.ledger.sealing import Sealing
from domain.ledger.service import LedgerService
from domain.ledger.statements import Statements
from domain.ledger.valuation import Valuation
from domain.limits.service import LimitService
from domain.merchants.model import Network
from domain.merchants.service import MerchantService
from domain.network_fees.service import NetworkFeeService
from domain.operators.model import Operators
from domain.people.service import PeopleService
from domain.platform.service import PlatformService
from domain.sandbox.carrying_out import SandboxWorks
from domain.sandbox.service import SandboxService
from domain.seeding.service import SeedingService
from domain.settlements.service import SettlementService
from domain.shared.idempotency import KeptAnswers
from domain.shared.money import Assets, ChainId
from domain.stars.reconciliation import StarsReconciliation
from domain.stars.service import StarsService
from domain.suspense.service import SuspenseService
from domain.sweeps.service import SweepService
from domain.treasury.service import TreasuryService
from domain.usage.service import UsageService
from domain.webhooks.endpoints import EndpointService
from domain.webhooks.in_turn import InTurn
from domain.webhooks.service import WebhookService
from domain.webhooks.trying import Tried
from ports.calendar import Calendar
from ports.clock import Clock
from ports.errands import Errands
from ports.ids import Ids
from ports.jobs import JobNotices
from ports.stars import StarsWebhook, StarUpdates
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from config.settings import Settings


@attrs.frozen(kw_only=True)
class ApiStars:
    """What the HTTP API has for payments in Stars."""

    service: StarsService
    webhook: StarsWebhook | None
    """Reads what Telegram posts; None where the worker asks for it."""


@attrs.frozen(kw_only=True)
class ApiConsole:
    """What the HTTP API has for operators, where the settings name some."""

    operators: Operators
    jobs: JobService


@attrs.frozen(kw_only=True)
class WorkerStars:
    """What the worker has for payments in Stars."""

    service: StarsService
    reconciliation: StarsReconciliation
    updates: StarUpdates | None
    """Where Telegram is asked for updates; None where it posts them to the API."""


@attrs.frozen(kw_only=True)
class ApiServices:
    """What the HTTP API stands on. ``resources`` are opened and closed with the process."""

    assets: Assets
    cursor_key: bytes = attrs.field(repr=False)
    merchants: MerchantService
    intents: IntentService
    customers: CustomerService
    explaining: ExplainingService
    escrows: EscrowService
    settlements: SettlementService
    destinations: DestinationService
    books: LedgerService
    webhooks: WebhookService
    webhook_endpoints: EndpointService
    usage: UsageService
    audit: AuditService
    limits: LimitService
    network_fees: NetworkFeeService
    sandbox: SandboxService
    trusted_proxies: Sequence[Network] = ()
    """Whose word is taken for whom they were called by, in the header named."""
    forwarded_header: str = "x-forwarded-for"
    store_usage_every_seconds: float = 5.0
    streams_at_once: int = 64
    """Event streams that may be open with one key in this process."""
    stars: ApiStars | None = None
    console: ApiConsole | None = None
    resources: Sequence[AbstractAsyncContextManager[object]]


@attrs.frozen(kw_only=True)
class WorkerServices:
    """What the worker stands on, keys that sign included."""

    chains: Sequence[ChainId]
    clock: Clock
    calendar: Calendar
    ids: Ids
    begin: Begin
    notices: JobNotices
    jobs: JobService
    watcher: ChainWatcher
    sender: Sender
    intents: IntentService
    escrows: EscrowService
    settlements: SettlementService
    destinations: DestinationService
    sweeps: SweepService
    treasury: TreasuryService
    books: LedgerService
    conservation: Conservation
    answers: KeptAnswers
    sealing: Sealing
    audit: AuditService
    valuation: Valuation
    webhooks: WebhookService
    sandbox: SandboxWorks
    usage: UsageService
    platform: PlatformService
    errands: Errands[Tried] = attrs.field(factory=InTurn)
    """Has messages sent; where time is simulated, one after the other."""
    stars: WorkerStars | None = None
    resources: Sequence[AbstractAsyncContextManager[object]]


@attrs.frozen(kw_only=True)
class OperatorServices:
    """What operators' commands stand on: no key that signs."""

    chains: Sequence[ChainId]
    assets: Assets
    merchants: MerchantService
    people: PeopleService
    seeding: SeedingService
    devnet_destinations: Callable[[], Mapping[ChainId, str]]
    """Returns where a seeded merchant is paid out on a devnet of the settings."""
    settlements: SettlementService
    destinations: DestinationService
    suspense: SuspenseService
    treasury: TreasuryService
    books: LedgerService
    webhooks: WebhookService
    conservation: Conservation
    sealing: Sealing
    audit: AuditService
    at_rest: AtRestService
    statements: Callable[[], Statements]
    """Builds what issues statements: it alone needs the key that signs them."""
    watcher: ChainWatcher
    canceling: Canceling
    network_fees: NetworkFeeService
    jobs: JobService
    clock: Clock
    resources: Sequence[AbstractAsyncContextManager[object]]


def container(settings: Settings, *, role: str = "") -> Services:
    """Compose the services of the deployment that the settings name.

    ``role`` is what the database's statements run as; none: the user whom the settings name.

    Raises:
        dependency_injector.errors.Error: an adapter is missing.
    """
    adapters = {"demo": DemoAdapters, "testing": TestingAdapters}[settings.deployment]
    services = Services(settings=settings, adapters=adapters(settings=settings, role=role))
    services.check_dependencies()
    return services


def migrate(settings: Settings) -> str | None:
    """Bring the schema up to date; return the revision it is at now."""
    upgrade(settings.database.url)
    return current(settings.database.url)


def api(settings: Settings) -> ApiServices:
    """Build what the API needs; a setting that names a private key is never read here.

    Raises:
        KeyFileRefused: Stars are taken, and the file of the bot's token or of the webhook's
            secret is missing, open to others, or holds something else.
    """
    services = container(settings, role=API_ROLE if settings.database.keep_merchants_apart else "")
    tell_of_clear(settings)
    return ApiServices(
        assets=services.adapters.assets(),
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
        usage=services.usage(),
        audit=services.audit(),
        limits=services.limits(),
        network_fees=services.network_fees(),
        sandbox=services.sandbox(),
        trusted_proxies=[ip_network(each) for each in settings.http.trusted_proxies],
        forwarded_header=settings.http.forwarded_header,
        store_usage_every_seconds=settings.limits.store_usage_every_seconds,
        streams_at_once=settings.limits.streams,
        stars=_api_stars(settings, services),
        console=_console(settings, services),
        resources=[
            storage_open(services.adapters.storage()),
            services.adapters.publisher(),
            *_bots(settings, services),
            # Nothing depends on them: they are asked what sending costs, when somebody asks that.
            *services.adapters.nodes().values(),
        ],
    )


def operator(settings: Settings) -> OperatorServices:
    """Build what operators' commands need; no private key is read here either."""
    services = container(settings)
    return OperatorServices(
        chains=tuple(services.adapters.places()),
        assets=services.adapters.assets(),
        merchants=services.merchants(),
        people=services.people(),
        seeding=services.seeding(),
        devnet_destinations=partial(devnet_destinations, settings),
        settlements=services.settlements(),
        destinations=services.destinations(),
        suspense=services.suspense(),
        treasury=services.treasury(),
        books=services.books(),
        webhooks=services.webhooks(),
        conservation=services.conservation(),
        sealing=services.sealing(),
        audit=services.audit(),
        at_rest=services.at_rest(),
        statements=services.statements,
        watcher=services.watcher(),
        canceling=services.canceling(),
        network_fees=services.network_fees(),
        jobs=services.jobs(),
        clock=services.adapters.clock(),
        resources=[
            storage_open(services.adapters.storage()),
            *(node_open(node) for node in services.adapters.nodes().values()),
            *services.adapters.liteservers().values(),
            *services.adapters.toncenters().values(),
        ],
    )


def worker(settings: Settings) -> WorkerServices:
    """Build what the worker needs.

    Raises:
        WrongSettings: no hot wallet key is named, or a key is not the settings' addresses'.
        KeyFileRefused: a key file is missing, or others may read it.
    """
    services = container(settings)
    tell_of_clear(settings)
    return WorkerServices(
        chains=tuple(services.adapters.places()),
        clock=services.adapters.clock(),
        calendar=services.adapters.calendar(),
        ids=services.adapters.ids(),
        begin=services.adapters.storage().begin,
        notices=services.adapters.notices(),
        jobs=services.jobs(),
        watcher=services.watcher(),
        sender=services.sender(),
        intents=services.intents(),
        escrows=services.escrows(),
        settlements=services.settlements(),
        destinations=services.destinations(),
        sweeps=services.sweeps(),
        treasury=services.treasury(),
        books=services.books(),
        conservation=services.conservation(),
        answers=services.answers(),
        sealing=services.sealing(),
        audit=services.audit(),
        valuation=services.valuation(),
        webhooks=services.webhooks(),
        sandbox=services.sandbox_works(),
        usage=services.usage(),
        platform=services.platform(),
        errands=SideBySide(capacity=settings.webhooks.in_flight),
        stars=_worker_stars(settings, services),
        resources=[
            storage_open(services.adapters.storage()),
            services.adapters.notices(),
            services.adapters.publisher(),
            *_bots(settings, services),
            *(node_open(node) for node in services.adapters.nodes().values()),
            *services.adapters.liteservers().values(),
            *services.adapters.toncenters().values(),
            *(sandbox_open(sandbox) for sandbox in services.adapters.sandboxes().values()),
        ],
    )


def _api_stars(settings: Settings, services: Services) -> ApiStars | None:
    if settings.stars is None:
        return None
    posted = settings.stars.mode == "webhook"
    webhook = services.adapters.stars_webhook() if posted else None
    return ApiStars(service=services.stars(), webhook=webhook)


def _console(settings: Settings, services: Services) -> ApiConsole | None:
    if not settings.operators:
        return None
    return ApiConsole(operators=operators(settings.operators), jobs=services.jobs())


def _worker_stars(settings: Settings, services: Services) -> WorkerStars | None:
    if settings.stars is None:
        return None
    asked_for = settings.stars.mode == "polling"
    return WorkerStars(
        service=services.stars(),
        reconciliation=services.stars_reconciliation(),
        updates=services.adapters.stars_bot() if asked_for else None,
    )


def _bots(settings: Settings, services: Services) -> Sequence[AbstractAsyncContextManager[object]]:
    return [] if settings.stars is None else [services.adapters.stars_bot()]
