"""The services, the same in every deployment; only the adapters differ."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dependency_injector import containers, providers

from config.settings import Settings, seconds
from config.signing import statement_signer
from domain.chains.sending import Sender
from domain.chains.service import ChainWatcher
from domain.escrow.service import EscrowService
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
from domain.merchants.service import MerchantService
from domain.settlements.service import SettlementService
from domain.shared.idempotency import KeptAnswers
from domain.shared.money import asset_id
from domain.stars.reconciliation import StarsReconciliation
from domain.stars.service import StarsService
from domain.sweeps.service import SweepService
from domain.webhooks.service import WebhookService

if TYPE_CHECKING:
    from domain.shared.money import AssetId


def _intent_rules(settings: Settings) -> IntentRules:
    clocks = settings.intents
    return IntentRules(
        pay_within=seconds(clocks.pay_within_seconds),
        auto_release_after=seconds(clocks.auto_release_after_seconds),
        refund_window=seconds(clocks.refund_window_seconds),
    )


def _retention(settings: Settings) -> Retention:
    kept = settings.worker
    return Retention(
        done=timedelta(days=kept.done_kept_days), dead=timedelta(days=kept.dead_kept_days)
    )


def _books_currency(settings: Settings) -> AssetId:
    return asset_id(settings.books.currency)


def _sweep_minimums(settings: Settings) -> dict[AssetId, int]:
    """Return from which holding on tokens are swept: none where no key could sign for that."""
    if settings.keys.deposit_key_file is None:
        return {}
    return {
        asset_id(each.id): each.sweep_minimum for each in settings.assets if "/erc20:" in each.id
    }


class Services(containers.DeclarativeContainer):
    """Use cases over whatever adapters a deployment brings."""

    settings = providers.Dependency(instance_of=Settings)
    adapters = providers.DependenciesContainer()

    merchants = providers.Factory(
        MerchantService, begin=adapters.begin, clock=adapters.clock, ids=adapters.ids
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
