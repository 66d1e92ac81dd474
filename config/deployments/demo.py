"""The demo: PostgreSQL, EVM chains and rates by the operator's word, all as the settings say.

Nothing in it is a fake. What makes it a demo is where the settings point: to a database and a
chain on this machine that were made for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dependency_injector import containers, providers

from adapters.evm.escrow_contract import EvmEscrowContracts
from adapters.notify.webhooks import WebhookPublisher
from adapters.postgres.notices import PostgresJobNotices
from adapters.postgres.storage import PoolSettings, PostgresStorage
from adapters.rates.fixed import FixedRates
from adapters.system.calendar import CronCalendar
from adapters.system.clock import SystemClock
from adapters.system.ids import RandomIds
from adapters.telegram.bot import AiogramStarsBot
from adapters.telegram.webhook import TelegramWebhook
from config.deployments import evm, ton
from config.deployments.sandboxes import sandboxes
from config.key_ring import key_ring
from config.settings import Settings, WrongSettings
from config.wallets import with_cold_wallets
from domain.shared.money import Asset, Assets, ChainId, asset_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from adapters.evm.node import EvmNode
    from adapters.postgres.key_ring import KeyRing
    from adapters.ton.liteservers import Liteservers
    from adapters.ton.second_source import Sources
    from adapters.ton.settings import TonChain
    from adapters.ton.toncenter import Toncenter
    from config.stars import Stars
    from domain.chains.places import Places
    from domain.shared.money import AssetId
    from ports.calendar import Calendar
    from ports.chain import ChainReader, ChainSender
    from ports.clock import Clock
    from ports.deposit_addresses import DepositAddresses
    from ports.escrow_contract import EscrowContracts
    from ports.ids import Ids
    from ports.jobs import JobNotices
    from ports.network_fees import FeeMarket
    from ports.provider_health import ProviderHealth
    from ports.publisher import Publisher
    from ports.rates import RateSource
    from ports.sandbox import Sandbox
    from ports.stars import StarsWebhook
    from ports.unit_of_work import Begin


def assets(settings: Settings) -> Assets:
    """Return the allow-list."""
    return Assets.of(
        Asset(
            id=asset_id(each.id),
            symbol=each.symbol,
            decimals=each.decimals,
            peg=asset_id(each.peg) if each.peg else None,
        )
        for each in settings.assets
    )


def places(settings: Settings) -> Mapping[ChainId, Places]:
    """Return where the gateway's money lies, chain by chain."""
    hot = {
        **{ChainId(chain.id): evm.places(chain) for chain in settings.evm_chains},
        **{ChainId(chain.id): ton.places(chain) for chain in settings.ton_chains},
    }
    return with_cold_wallets(hot, settings)


def addresses(settings: Settings) -> Mapping[ChainId, DepositAddresses]:
    """Return what derives deposit addresses, chain by chain.

    Raises:
        WrongSettings: the extended public key is none.
    """
    return {**evm.addresses(settings), **ton.addresses(settings)}


def readers(
    nodes: Mapping[ChainId, EvmNode],
    places: Mapping[ChainId, Places],
    networks: Mapping[ChainId, TonChain],
    liteservers: Mapping[ChainId, Liteservers],
    sources: Mapping[ChainId, Sources],
    begin: Begin,
) -> Mapping[ChainId, ChainReader]:
    """Return what reads each chain."""
    return {**evm.readers(nodes), **ton.readers(places, networks, liteservers, sources, begin)}


def senders(
    settings: Settings,
    nodes: Mapping[ChainId, EvmNode],
    networks: Mapping[ChainId, TonChain],
    liteservers: Mapping[ChainId, Liteservers],
    sources: Mapping[ChainId, Sources],
    clock: Clock,
) -> Mapping[ChainId, ChainSender]:
    """Return what sends on each chain.

    Raises:
        WrongSettings: no key is named, or it is the key of other addresses than the settings say.
        KeyFileRefused: a key file is missing, or others may read it.
    """
    return {
        **evm.senders(settings, nodes),
        **ton.senders(settings, networks, liteservers, sources, clock),
    }


def rates(settings: Settings, clock: Clock) -> Sequence[RateSource]:
    """Return a source for each name under which the settings give rates."""
    by_source: dict[str, dict[tuple[AssetId, AssetId], Decimal]] = {}
    for rate in settings.rates:
        pair = (asset_id(rate.asset), asset_id(rate.currency))
        by_source.setdefault(rate.source, {})[pair] = rate.value
    return [FixedRates(name, clock, pairs) for name, pairs in by_source.items()]


def stars_bot(settings: Settings) -> AiogramStarsBot:
    """Return the bot that takes Stars; it asks Telegram nothing yet.

    Raises:
        WrongSettings: no Stars are taken.
        KeyFileRefused: the token's file is missing, open to others, or holds something else.
    """
    stars = _stars(settings)
    return AiogramStarsBot(
        token=stars.bot_token(),
        timeout_seconds=stars.request_timeout_seconds,
        api_url=stars.api_url,
    )


def stars_webhook(settings: Settings) -> StarsWebhook:
    """Return what reads Telegram's posts.

    Raises:
        WrongSettings: there are none, because no Stars are taken or updates are asked for.
        KeyFileRefused: the secret's file is missing, open to others, or holds something else.
    """
    secret = _stars(settings).webhook_secret()
    if secret is None:
        raise WrongSettings(("settings.stars.webhook_secret_file is needed for a webhook",))
    return TelegramWebhook(secret)


def _stars(settings: Settings) -> Stars:
    if settings.stars is None:
        raise WrongSettings(("settings.stars is needed to take Stars",))
    return settings.stars


def _pool(settings: Settings, role: str) -> PoolSettings:
    return PoolSettings(
        connections_max=settings.database.connections_max,
        role=role or None,
        statement_timeout_ms=int(settings.database.statement_timeout_seconds * 1000),
    )


class DemoAdapters(containers.DeclarativeContainer):
    """Every adapter of the demo, each annotated with the port that it stands for."""

    settings = providers.Dependency(instance_of=Settings)
    role = providers.Dependency(instance_of=str, default="")
    """Of the database, that statements run as; none: the user's own."""

    clock: providers.Provider[Clock] = providers.ThreadSafeSingleton(SystemClock)
    calendar: providers.Provider[Calendar] = providers.ThreadSafeSingleton(CronCalendar)
    ids: providers.Provider[Ids] = providers.ThreadSafeSingleton(RandomIds)
    assets: providers.Provider[Assets] = providers.ThreadSafeSingleton(assets, settings)
    places: providers.Provider[Mapping[ChainId, Places]] = providers.ThreadSafeSingleton(
        places, settings
    )
    key_ring: providers.Provider[KeyRing] = providers.ThreadSafeSingleton(
        key_ring, settings.provided.secrets
    )
    storage: providers.Provider[PostgresStorage] = providers.ThreadSafeSingleton(
        PostgresStorage,
        dsn=settings.provided.database.url,
        clock=clock,
        ids=ids,
        settings=providers.Factory(_pool, settings, role),
        ring=key_ring,
    )
    begin = storage.provided.begin
    notices: providers.Provider[JobNotices] = providers.ThreadSafeSingleton(
        PostgresJobNotices, dsn=settings.provided.database.url
    )
    rates: providers.Provider[Sequence[RateSource]] = providers.ThreadSafeSingleton(
        rates, settings, clock
    )
    addresses: providers.Provider[Mapping[ChainId, DepositAddresses]] = (
        providers.ThreadSafeSingleton(addresses, settings)
    )
    contracts: providers.Provider[EscrowContracts] = providers.ThreadSafeSingleton(
        EvmEscrowContracts
    )
    nodes: providers.Provider[Mapping[ChainId, EvmNode]] = providers.ThreadSafeSingleton(
        evm.nodes, settings, assets
    )
    networks: providers.Provider[Mapping[ChainId, TonChain]] = providers.ThreadSafeSingleton(
        ton.networks, settings, assets
    )
    liteservers: providers.Provider[Mapping[ChainId, Liteservers]] = providers.ThreadSafeSingleton(
        ton.liteservers, networks
    )
    toncenters: providers.Provider[Mapping[ChainId, Toncenter]] = providers.ThreadSafeSingleton(
        ton.toncenters, networks
    )
    sources: providers.Provider[Mapping[ChainId, Sources]] = providers.ThreadSafeSingleton(
        ton.sources, networks, liteservers, toncenters, clock
    )
    readers: providers.Provider[Mapping[ChainId, ChainReader]] = providers.ThreadSafeSingleton(
        readers, nodes, places, networks, liteservers, sources, begin
    )
    senders: providers.Provider[Mapping[ChainId, ChainSender]] = providers.ThreadSafeSingleton(
        senders, settings, nodes, networks, liteservers, sources, clock
    )
    provider_health: providers.Provider[Mapping[ChainId, ProviderHealth]] = (
        providers.ThreadSafeSingleton(evm.provider_health, nodes)
    )
    fee_markets: providers.Provider[Mapping[ChainId, FeeMarket]] = providers.ThreadSafeSingleton(
        evm.fee_markets, nodes
    )
    sandboxes: providers.Provider[Mapping[ChainId, Sandbox]] = providers.ThreadSafeSingleton(
        sandboxes, settings, nodes, liteservers
    )
    stars_bot: providers.Provider[AiogramStarsBot] = providers.ThreadSafeSingleton(
        stars_bot, settings
    )
    stars_webhook: providers.Provider[StarsWebhook] = providers.ThreadSafeSingleton(
        stars_webhook, settings
    )
    publisher: providers.Provider[Publisher] = providers.ThreadSafeSingleton(
        WebhookPublisher,
        timeout_seconds=settings.provided.webhooks.timeout_seconds,
        allow_private_addresses=settings.provided.webhooks.allow_private_addresses,
    )
