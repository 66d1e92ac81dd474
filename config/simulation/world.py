"""What is simulated: chains, Telegram, one store, merchants' servers, the gateway's processes.

Each process is composed like any other deployment's, over a line of its own to everything that
it asks; what is behind those lines is shared.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import attrs
from dependency_injector import providers

from adapters.memory.chain import InMemoryChain
from adapters.memory.chain_state import Nature
from adapters.memory.clock import FakeClock
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from adapters.memory.escrow_contract import InMemoryEscrowContracts
from adapters.memory.ids import SequentialIds
from adapters.memory.rates import FixedRates
from adapters.memory.store import Store
from config.bootstrap import WorkerServices, WorkerStars
from config.containers.services import Services
from config.deployments.demo import assets, places
from config.deployments.testing import ARBITER, TestingAdapters, rates
from config.finality import ladders
from config.simulation.between import Opened
from config.simulation.configured import (
    CHAIN,
    COIN,
    CONTRACT,
    HOT,
    LADDERS,
    OTHER_TOKEN,
    TOKEN,
    TREASURY,
    UNLISTED,
    settings,
)
from config.simulation.evidence import Evidence
from config.simulation.network import FINAL_AFTER, Line, Network
from config.simulation.process import Process, SkewedClock
from config.simulation.rails import TON, Rail, TonAddresses, like_ton
from config.simulation.servers import Post, Servers
from config.simulation.telegram import BotLine, Telegram
from config.simulation.turns import Turns
from domain.chains.finality import Ladder
from domain.chains.service import ChainWatcher
from domain.escrow.service import EscrowService
from domain.intents.service import IntentService
from domain.ledger.conservation import Conservation
from domain.ledger.sealing import Sealing
from domain.ledger.service import LedgerService
from domain.settlements.service import SettlementService
from domain.shared.jobs import JobState
from domain.shared.money import asset_id
from domain.stars.service import StarsService
from domain.webhooks.service import WebhookService

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from domain.shared.money import AssetId, ChainId


TANKS = (10**13, 4 * 10**6)
"""The native coin that the hot wallet may begin with, smallest unit: for ever, or for a day."""
BLOCK_MINUTES = (4, 16)
"""How long a block of the first chain takes, at least and at most."""


@attrs.frozen(kw_only=True)
class Gateway:
    """One life of one process of the gateway, and everything it can do."""

    process: Process
    services: Services
    intents: IntentService
    escrows: EscrowService
    settlements: SettlementService
    books: LedgerService
    conservation: Conservation
    sealing: Sealing
    webhooks: WebhookService
    watcher: ChainWatcher
    stars: StarsService

    def worker(self) -> WorkerServices:
        """Return what jobs stand on."""
        adapters, services = self.services.adapters, self.services
        stars = None
        if services.settings().stars is not None:
            reconciliation = services.stars_reconciliation()
            stars = WorkerStars(service=self.stars, reconciliation=reconciliation, updates=None)
        return WorkerServices(
            chains=tuple(adapters.places()),
            clock=adapters.clock(),
            calendar=adapters.calendar(),
            ids=adapters.ids(),
            begin=adapters.begin(),
            notices=adapters.notices(),
            jobs=services.jobs(),
            watcher=self.watcher,
            sender=services.sender(),
            intents=self.intents,
            escrows=self.escrows,
            settlements=self.settlements,
            destinations=services.destinations(),
            sweeps=services.sweeps(),
            treasury=services.treasury(),
            books=self.books,
            conservation=self.conservation,
            answers=services.answers(),
            sealing=self.sealing,
            audit=services.audit(),
            valuation=services.valuation(),
            webhooks=self.webhooks,
            sandbox=services.sandbox_works(),
            usage=services.usage(),
            platform=services.platform(),
            stars=stars,
            resources=(),
        )


class StorageFaults:
    """What the storage will do to the next commits."""

    def __init__(self, store: Store) -> None:
        self.ordered: list[str] = []
        """``fail`` or ``lose``, the next first."""
        self.met = 0
        self._store = store

    def before_commit(self) -> None:
        """Have the commit under way meet what is ordered."""
        if not self.ordered:
            return
        self.met += 1
        if self.ordered.pop(0) == "fail":
            self._store.fail_next_commit()
        else:
            self._store.lose_next_commit()


class World:
    """Everything there is, and the ways to make processes of the gateway over it."""

    def __init__(self, *, seed: int, rails: Collection[str] = ("evm",)) -> None:
        self.seed = seed
        self._rail_names = frozenset(rails)
        self.settings = settings(rails, self._ladder(rails))
        self.clock = FakeClock()
        self.ids = SequentialIds(seed=seed)
        self.store = Store(clock=self.clock, ids=self.ids)
        self.assets = assets(self.settings)
        self.places = dict(places(self.settings))
        self.contracts = InMemoryEscrowContracts()
        self.addresses = InMemoryDepositAddresses(self.settings.keys.xpub)
        self.chain = InMemoryChain(
            chain=CHAIN,
            clock=self.clock,
            contracts=self.contracts,
            native=COIN,
            assets=[TOKEN, OTHER_TOKEN, UNLISTED, COIN],
            contract=CONTRACT,
            sender=HOT,
            arbiter=ARBITER,
            treasury=TREASURY,
            deposits=self.addresses,
            final_after=FINAL_AFTER,
            nature=Nature(sweeps_max=self._sweeps_max(rails)),
        )
        self.rates = [
            it
            for it in rates(self.settings, self.clock, self.assets)
            if isinstance(it, FixedRates)
        ]
        self.network = Network(self.chain, random=self.random("network"))
        first = Rail(
            self.places[CHAIN], self.chain, self.network, TOKEN, OTHER_TOKEN, BLOCK_MINUTES
        )
        self.rails: dict[ChainId, Rail] = {CHAIN: first}
        """The chains, by their names."""
        rungs = ladders(self.settings, self.assets).get(CHAIN, Ladder()).rungs
        self.evidence = Evidence(self.chain, self.store.tables, rungs)
        if "ton" in rails:
            random = self.random("network of the second chain")
            wallets = TonAddresses() if "customers" in rails else None
            second = like_ton(
                clock=self.clock, contracts=self.contracts, random=random, addresses=wallets
            )
            self.rails[second.places.chain] = second
            self.places[second.places.chain] = second.places
        self.telegram = Telegram(self) if "stars" in rails else None
        self.memos: dict[str, str] = {}
        """The memos that payers meant, by what they have written."""
        self.servers = Servers()
        self.storage = StorageFaults(self.store)
        self.turns = Turns(
            clock=self.clock,
            random=self.random("turns"),
            store_is_free=lambda: not self.store.turns.locked(),
            next_job_at=self._next_job_at,
        )

    def _sweeps_max(self, rails: Collection[str]) -> int:
        """Draw whether addresses are swept together; with one rail old stories stay as told."""
        return self.random("sweeping").choice((0, 3)) if len(rails) > 1 else 0

    def _sweep_minimums(self) -> dict[AssetId, int]:
        """Return from which holding on addresses are swept where settings name one chain only."""
        return {
            asset_id(it.id): it.sweep_minimum
            for it in self.settings.assets
            if "/erc20:" in it.id or it.id.startswith(f"{TON}/")
        }

    def _ladder(self, rails: Collection[str]) -> Sequence[Mapping[str, Any]]:
        """Draw what large amounts need; where customers have no addresses it is nothing."""
        return self.random("ladder").choice(LADDERS) if "customers" in rails else ()

    def random(self, concern: str) -> Random:
        """Return a source of chance of its own: more of one kind shifts no other."""
        return Random(f"{self.seed}/{concern}")  # noqa: S311 (chance that can be repeated is the point)

    def gateway(
        self,
        name: str,
        *,
        skew: timedelta = timedelta(),
        truthful: bool = False,
        adapt: Callable[[Any], None] | None = None,
    ) -> Gateway:
        """Start a process. ``adapt`` may put other adapters in the place of its own.

        A truthful one meets no faults: its chain never lies and its commits always take place.
        """
        process = Process(name, turns=self.turns, random=self.random(f"life of {name}"))
        before_commit = (lambda: None) if truthful else self.storage.before_commit
        opened = Opened(self.store, process, before_commit=before_commit)
        line = {
            name: it.chain if truthful else Line(it.network, process)
            for name, it in self.rails.items()
        }
        adapters: Any = TestingAdapters(settings=self.settings)
        for provider, adapter in (
            (adapters.clock, SkewedClock(self.clock, skew)),
            (adapters.ids, self.ids),
            (adapters.assets, self.assets),
            (adapters.places, self.places),
            (adapters.begin, opened.begin),
            (adapters.rates, self.rates),
            (adapters.addresses, {CHAIN: self.addresses, TON: TonAddresses()}),
            (adapters.contracts, self.contracts),
            (adapters.chains, {name: it.chain for name, it in self.rails.items()}),
            (adapters.stars_bot, self._bot_of(process, truthful=truthful)),
            (adapters.readers, line),
            (adapters.senders, line),
            (adapters.publisher, Post(self.servers, process)),
        ):
            provider.override(providers.Object(adapter))
        if adapt is not None:
            adapt(adapters)
        services = Services(settings=self.settings, adapters=adapters)
        services.check_dependencies()
        if "customers" in self._rail_names:
            services.sweeps.add_kwargs(minimums=self._sweep_minimums())
        return Gateway(
            process=process,
            services=services,
            intents=services.intents(),
            escrows=services.escrows(),
            settlements=services.settlements(),
            books=services.books(),
            conservation=services.conservation(),
            sealing=services.sealing(),
            webhooks=services.webhooks(),
            watcher=services.watcher(),
            stars=services.stars(),
        )

    def lies(self) -> int:
        """Return how many calls have met a fault of some chain's nodes."""
        return sum(it.network.met for it in self.rails.values())

    def _bot_of(self, process: Process, *, truthful: bool) -> object:
        """Return a process's line to Telegram; None where no Stars are taken."""
        if self.telegram is None or truthful:
            return None if self.telegram is None else self.telegram.bot
        return BotLine(self.telegram, process)

    def _next_job_at(self) -> datetime | None:
        """Return when the next job is due, or a lost one's lease over."""
        jobs = self.store.tables.jobs
        times = [job.run_at for job in jobs.where(state=JobState.READY)]
        times += [
            job.lease_until
            for job in jobs.where(state=JobState.RUNNING)
            if job.lease_until is not None
        ]
        return min(times, default=None)
