"""The services, the same in every deployment; only the adapters differ."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dependency_injector import containers, providers

from config.addresses import addresses
from config.finality import ladders
from config.settings import Settings, seconds
from config.signing import statement_signer
from config.wallets import all_hot, all_tanks
from domain.at_rest.service import AtRestService
from domain.audit.service import AuditService
from domain.chains.canceling import Canceling
from domain.chains.sending import Sender
from domain.chains.service import ChainWatcher
from domain.customers.service import CustomerService
from domain.destinations.service import DestinationService
from domain.escrow.service import EscrowService
from domain.explaining.service import ExplainingService
from domain.intents.issuing import IntentRules
from domain.intents.quotes import RateRules
from domain.intents.service import IntentService
from domain.jobs.service import JobService, Retention
from domain.ledger.comparing import Comparing
from domain.ledger.conservation import Conservation
from domain.ledger.sealing import Sealing
from domain.ledger.service import LedgerService
from domain.ledger.statements import Statements
from domain.ledger.valuation import Valuation
from domain.limits.service import LimitService
from domain.merchants.service import MerchantService
from domain.network_fees.service import NetworkFeeService
from domain.people.service import PeopleService
from domain.platform.service import PlatformService
from domain.sandbox.carrying_out import SandboxWorks
from domain.sandbox.service import SandboxService
from domain.seeding.service import SeedingService
from domain.settlements.service import SettlementService
from domain.shared.idempotency import KeptAnswers
from domain.shared.modes import Mode
from domain.shared.money import asset_id
from domain.stars.reconciliation import StarsReconciliation
from domain.stars.service import StarsService
from domain.suspense.service import SuspenseService
from domain.sweeps.service import SweepService
from domain.treasury.service import TreasuryService
from domain.usage.service import UsageService
from domain.webhooks.endpoints import EndpointService
from domain.webhooks.service import WebhookService

if TYPE_CHECKING:
    from domain.shared.money import AssetId


def _intent_rules(settings: Settings) -> IntentRules:
    clocks = settings.intents
    return IntentRules(
        pay_within=seconds(clocks.pay_within_seconds),
        auto_release_after=seconds(clocks.auto_release_after_seconds),
        refund_window=seconds(clocks.refund_window_seconds),
        stars=Mode.LIVE if settings.stars and not settings.stars.test_environment else Mode.TEST,
    )


def _retention(settings: Settings) -> Retention:
    kept = settings.worker
    return Retention(
        done=timedelta(days=kept.done_kept_days), dead=timedelta(days=kept.dead_kept_days)
    )


def _settle_every(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.worker.settle_every_seconds)


def _log_kept(settings: Settings) -> timedelta:
    return timedelta(days=settings.webhooks.log_kept_days)


def _platform_events_kept(settings: Settings) -> timedelta:
    return timedelta(days=settings.worker.platform_events_kept_days)


def _books_currency(settings: Settings) -> AssetId:
    return asset_id(settings.books.currency)


def _sweep_minimums(settings: Settings) -> dict[AssetId, int]:
    """Return from which holding on assets are swept: none where no key could sign for that."""
    evm = settings.keys.deposit_key_file or settings.keys.deposit_key
    of_ton = {it.id for it in settings.ton_chains if it.deposit_key_file or it.deposit_key}
    return {
        asset_id(each.id): each.sweep_minimum
        for each in settings.assets
        if (evm and "/erc20:" in each.id) or each.id.partition("/")[0] in of_ton
    }


def _deposit_minimums(settings: Settings) -> dict[AssetId, int]:
    """Return from which amount on customers' deposits are credited, where that is limited."""
    return {
        asset_id(each.id): each.deposit_minimum
        for each in settings.assets
        if each.deposit_minimum is not None
    }


class Services(containers.DeclarativeContainer):
    """Use cases over whatever adapters a deployment brings."""

    settings = providers.Dependency(instance_of=Settings)
    adapters = providers.DependenciesContainer()

    merchants = providers.Factory(
        MerchantService, begin=adapters.begin, clock=adapters.clock, ids=adapters.ids
    )
    usage = providers.Factory(UsageService, begin=adapters.begin, clock=adapters.clock)
    audit = providers.Factory(AuditService, begin=adapters.begin, clock=adapters.clock)
    at_rest = providers.Factory(AtRestService, begin=adapters.begin)
    limits = providers.Factory(
        LimitService,
        begin=adapters.begin,
        clock=adapters.clock,
        quotas=settings.provided.limits.quotas,
        at_once=settings.provided.limits.at_once,
    )
    intents = providers.Factory(
        IntentService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        rates=adapters.rates,
        rate_rules=providers.Factory(RateRules),
        rules=providers.Factory(_intent_rules, settings),
        addresses=adapters.addresses,
        contracts=adapters.contracts,
        places=adapters.places,
    )
    customers = providers.Factory(
        CustomerService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        addresses=adapters.addresses,
        places=adapters.places,
    )
    explaining = providers.Factory(
        ExplainingService,
        begin=adapters.begin,
        clock=adapters.clock,
        assets=adapters.assets,
        contracts=adapters.contracts,
        places=adapters.places,
        ladders=providers.Factory(ladders, settings, adapters.assets),
        settle_every=providers.Factory(_settle_every, settings),
    )
    escrows = providers.Factory(
        EscrowService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
    )
    settlements = providers.Factory(
        SettlementService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        places=adapters.places,
    )
    destinations = providers.Factory(
        DestinationService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        places=adapters.places,
        addresses=providers.Factory(addresses),
        cool_downs=settings.provided.payout_destinations.cool_downs,
    )
    people = providers.Factory(
        PeopleService, begin=adapters.begin, clock=adapters.clock, ids=adapters.ids
    )
    seeding = providers.Factory(
        SeedingService, begin=adapters.begin, clock=adapters.clock, ids=adapters.ids
    )
    suspense = providers.Factory(
        SuspenseService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        places=adapters.places,
        addresses=providers.Factory(addresses),
    )
    platform = providers.Factory(
        PlatformService,
        begin=adapters.begin,
        clock=adapters.clock,
        providers=adapters.provider_health,
        kept=providers.Factory(_platform_events_kept, settings),
    )
    sweeps = providers.Factory(
        SweepService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        readers=adapters.readers,
        senders=adapters.senders,
        places=adapters.places,
        minimums=providers.Factory(_sweep_minimums, settings),
    )
    treasury = providers.Factory(
        TreasuryService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        places=adapters.places,
        hot=providers.Factory(all_hot, settings),
        tanks=providers.Factory(all_tanks, settings),
    )
    books = providers.Factory(
        LedgerService,
        begin=adapters.begin,
        clock=adapters.clock,
        assets=adapters.assets,
        readers=adapters.readers,
        places=adapters.places,
    )
    conservation = providers.Factory(
        Conservation,
        comparing=providers.Factory(
            Comparing,
            begin=adapters.begin,
            assets=adapters.assets,
            readers=adapters.readers,
            places=adapters.places,
        ),
        clock=adapters.clock,
    )
    answers = providers.Factory(KeptAnswers, begin=adapters.begin, clock=adapters.clock)
    sealing = providers.Factory(Sealing, begin=adapters.begin)
    valuation = providers.Factory(
        Valuation,
        begin=adapters.begin,
        clock=adapters.clock,
        assets=adapters.assets,
        rates=adapters.rates,
        rules=providers.Factory(RateRules),
        currency=providers.Factory(_books_currency, settings),
    )
    statements = providers.Factory(
        Statements,
        begin=adapters.begin,
        clock=adapters.clock,
        assets=adapters.assets,
        signer=providers.Factory(statement_signer, settings),
    )
    jobs = providers.Factory(
        JobService,
        begin=adapters.begin,
        clock=adapters.clock,
        retention=providers.Factory(_retention, settings),
    )
    webhooks = providers.Factory(
        WebhookService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        publisher=adapters.publisher,
        log_kept=providers.Factory(_log_kept, settings),
    )
    webhook_endpoints = providers.Factory(
        EndpointService, begin=adapters.begin, clock=adapters.clock, ids=adapters.ids
    )
    sandbox = providers.Factory(
        SandboxService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        places=adapters.places,
    )
    sandbox_works = providers.Factory(
        SandboxWorks,
        begin=adapters.begin,
        clock=adapters.clock,
        places=adapters.places,
        sandboxes=adapters.sandboxes,
    )
    stars = providers.Factory(
        StarsService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        bot=adapters.stars_bot,
    )
    stars_reconciliation = providers.Factory(
        StarsReconciliation,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        bot=adapters.stars_bot,
    )
    watcher = providers.Factory(
        ChainWatcher,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        contracts=adapters.contracts,
        readers=adapters.readers,
        places=adapters.places,
        ladders=providers.Factory(ladders, settings, adapters.assets),
        deposit_minimums=providers.Factory(_deposit_minimums, settings),
    )
    canceling = providers.Factory(
        Canceling,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        places=adapters.places,
    )
    network_fees = providers.Factory(
        NetworkFeeService,
        clock=adapters.clock,
        markets=adapters.fee_markets,
        assets=adapters.assets,
        rates=adapters.rates,
        rules=providers.Factory(RateRules),
        currency=providers.Factory(_books_currency, settings),
    )
    sender = providers.Factory(
        Sender,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        assets=adapters.assets,
        senders=adapters.senders,
        places=adapters.places,
    )
