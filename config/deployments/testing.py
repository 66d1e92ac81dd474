"""Testing: the whole gateway in this process's memory, with verbs for all that can go wrong.

The clock stands still until it is moved, identifiers count up, and each chain is in memory, with
one object to read it and to send to it. Only the settings are as in any other deployment.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import attrs
from dependency_injector import containers, providers

from adapters.memory.chain import InMemoryChain
from adapters.memory.chain_state import Nature
from adapters.memory.clock import FakeClock
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from adapters.memory.escrow_contract import InMemoryEscrowContracts
from adapters.memory.ids import SequentialIds
from adapters.memory.network_fees import InMemoryFeeMarket
from adapters.memory.notices import InMemoryJobNotices
from adapters.memory.publisher import RecordingPublisher
from adapters.memory.rates import FixedRates
from adapters.memory.sandbox import InMemorySandbox
from adapters.memory.stars_bot import InMemoryStarsBot
from adapters.memory.store import Store
from adapters.system.calendar import CronCalendar
from config.deployments.demo import assets, places, stars_webhook
from config.settings import Settings
from domain.shared.money import ChainId
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from domain.chains.places import Places
    from domain.shared.money import Assets
    from domain.stars.model import StarUpdate
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
    from ports.unit_of_work import UnitOfWork

ARBITER = "0x" + "a" * 40
"""Who decides disputes on the chains in memory."""

TON = Nature(batch_max=250, valid_for=timedelta(hours=1), shows_coins=True, travels=2)
"""What chains in memory that stand for TON are like."""

POLL_SECONDS = 0.01
"""How long the bot in memory waits for updates while there are none."""


class Closable:
    """Something that is opened and closed with its process, although it needs neither."""

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave everything as it is."""


class ClosablePublisher(RecordingPublisher, Closable):
    """What records posts, as a process opens and closes it."""


class ClosableNotices(InMemoryJobNotices, Closable):
    """Notices of jobs, as a process opens and closes them."""


@attrs.define(eq=False)
class ClosableStarsBot(InMemoryStarsBot, Closable):
    """The bot in memory, as a process opens and closes it, and asks it for updates."""

    _dropped: int = attrs.field(default=0, init=False)

    async def after(self, last: int | None) -> Sequence[tuple[int, StarUpdate | None]]:
        """Wait a moment for updates that follow a number, and drop those up to it."""
        while self.updates and last is not None and self._dropped < last:
            self.updates.popleft()
            self._dropped += 1
        if not self.updates:
            await asyncio.sleep(POLL_SECONDS)
        return list(enumerate(self.updates, start=self._dropped + 1))


class ClosableStorage:
    """The store as a database is: of use only between ``open`` and ``close``."""

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self.store = Store(clock=clock, ids=ids)
        self._open = False

    async def open(self) -> None:
        """Let units of work begin."""
        self._open = True

    async def close(self) -> None:
        """Let none begin any more; what is stored stays."""
        self._open = False

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Return a unit of work.

        Raises:
            StorageUnavailable: the storage is closed.
        """
        if not self._open:
            raise StorageUnavailable
        return self.store.begin()


def chains(
    settings: Settings,
    clock: Clock,
    contracts: EscrowContracts,
    known: Assets,
    addresses: Mapping[ChainId, DepositAddresses],
) -> Mapping[ChainId, InMemoryChain]:
    """Return a new chain for each one of the settings."""
    made = {}
    for name, place in places(settings).items():
        made[name] = InMemoryChain(
            chain=name,
            clock=clock,
            contracts=contracts,
            native=place.native,
            assets=[asset for asset in known.by_id if asset.startswith(f"{name}/")],
            contract=place.escrow_contract,
            sender=place.hot_wallet,
            arbiter=ARBITER,
            treasury=place.treasury,
            deposits=addresses.get(name),
            nature=TON if name.startswith("ton:") else None,
        )
    return made


def addresses(settings: Settings) -> Mapping[ChainId, DepositAddresses]:
    """Return what derives each chain's deposit addresses."""
    return {
        ChainId(chain.id): InMemoryDepositAddresses(settings.keys.xpub)
        for chain in settings.chains
    }


def fee_markets(places: Mapping[ChainId, Places]) -> Mapping[ChainId, FeeMarket]:
    """Return the markets of chains whose blocks are bid for."""
    return {
        chain: InMemoryFeeMarket(chain, place.native)
        for chain, place in places.items()
        if chain.startswith("eip155:")
    }


def sandboxes(
    settings: Settings, chains: Mapping[ChainId, InMemoryChain]
) -> Mapping[ChainId, InMemorySandbox]:
    """Return what orders things on each chain that the settings call a devnet."""
    devnets = [name for name, place in places(settings).items() if place.devnet]
    return {name: InMemorySandbox(chains[name]) for name in devnets}


def rates(settings: Settings, clock: Clock, known: Assets) -> Sequence[RateSource]:
    """Return a source for each name under which the settings give rates."""
    by_name: dict[str, FixedRates] = {}
    for rate in settings.rates:
        source = by_name.setdefault(rate.source, FixedRates(name=rate.source, clock=clock))
        source.say(known.find(rate.asset), known.find(rate.currency), rate.rate)
    return list(by_name.values())


class TestingAdapters(containers.DeclarativeContainer):
    """Every adapter of a test, each annotated with the port that it stands for."""

    settings = providers.Dependency(instance_of=Settings)
    role = providers.Dependency(instance_of=str, default="")
    """Memory has none."""

    clock: providers.Provider[Clock] = providers.ThreadSafeSingleton(FakeClock)
    calendar: providers.Provider[Calendar] = providers.ThreadSafeSingleton(CronCalendar)
    ids: providers.Provider[Ids] = providers.ThreadSafeSingleton(SequentialIds)
    assets: providers.Provider[Assets] = providers.ThreadSafeSingleton(assets, settings)
    places: providers.Provider[Mapping[ChainId, Places]] = providers.ThreadSafeSingleton(
        places, settings
    )
    storage: providers.Provider[ClosableStorage] = providers.ThreadSafeSingleton(
        ClosableStorage, clock=clock, ids=ids
    )
    begin = storage.provided.begin
    notices: providers.Provider[JobNotices] = providers.ThreadSafeSingleton(
        ClosableNotices, storage.provided.store
    )
    rates: providers.Provider[Sequence[RateSource]] = providers.ThreadSafeSingleton(
        rates, settings, clock, assets
    )
    addresses: providers.Provider[Mapping[ChainId, DepositAddresses]] = (
        providers.ThreadSafeSingleton(addresses, settings)
    )
    contracts: providers.Provider[EscrowContracts] = providers.ThreadSafeSingleton(
        InMemoryEscrowContracts
    )
    chains: providers.Provider[Mapping[ChainId, InMemoryChain]] = providers.ThreadSafeSingleton(
        chains, settings, clock, contracts, assets, addresses
    )
    nodes: providers.Provider[Mapping[ChainId, object]] = providers.ThreadSafeSingleton(dict)
    """There are none to connect to."""
    liteservers: providers.Provider[Mapping[ChainId, AbstractAsyncContextManager[object]]] = (
        providers.ThreadSafeSingleton(dict)
    )
    """As few."""
    toncenters: providers.Provider[Mapping[ChainId, AbstractAsyncContextManager[object]]] = (
        providers.ThreadSafeSingleton(dict)
    )
    readers: providers.Provider[Mapping[ChainId, ChainReader]] = providers.ThreadSafeSingleton(
        dict, chains
    )
    senders: providers.Provider[Mapping[ChainId, ChainSender]] = providers.ThreadSafeSingleton(
        dict, chains
    )
    provider_health: providers.Provider[Mapping[ChainId, ProviderHealth]] = (
        providers.ThreadSafeSingleton(dict)
    )
    """Chains in memory have no providers."""
    fee_markets: providers.Provider[Mapping[ChainId, FeeMarket]] = providers.ThreadSafeSingleton(
        fee_markets, places
    )
    sandboxes: providers.Provider[Mapping[ChainId, Sandbox]] = providers.ThreadSafeSingleton(
        sandboxes, settings, chains
    )
    stars_bot: providers.Provider[ClosableStarsBot] = providers.ThreadSafeSingleton(
        ClosableStarsBot, clock
    )
    stars_webhook: providers.Provider[StarsWebhook] = providers.ThreadSafeSingleton(
        stars_webhook, settings
    )
    publisher: providers.Provider[Publisher] = providers.ThreadSafeSingleton(ClosablePublisher)
