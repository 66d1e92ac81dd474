"""The services, the same in every deployment; only the adapters differ."""

from __future__ import annotations

from dependency_injector import containers, providers

from config.settings import Settings, seconds
from domain.chains.sending import Sender
from domain.chains.service import ChainWatcher
from domain.escrow.service import EscrowService
from domain.intents.quotes import RateRules
from domain.intents.service import IntentRules, IntentService
from domain.ledger.service import LedgerService
from domain.merchants.service import MerchantService
from domain.settlements.service import SettlementService
from domain.webhooks.service import WebhookService


def _intent_rules(settings: Settings) -> IntentRules:
    clocks = settings.intents
    return IntentRules(
        pay_within=seconds(clocks.pay_within_seconds),
        auto_release_after=seconds(clocks.auto_release_after_seconds),
        refund_window=seconds(clocks.refund_window_seconds),
    )


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
    books = providers.Factory(
        LedgerService,
        begin=adapters.begin,
        clock=adapters.clock,
        assets=adapters.assets,
        readers=adapters.readers,
        places=adapters.places,
    )
    webhooks = providers.Factory(
        WebhookService,
        begin=adapters.begin,
        clock=adapters.clock,
        ids=adapters.ids,
        publisher=adapters.publisher,
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
