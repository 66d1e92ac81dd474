"""What is simulated: one chain, one store, merchants' servers, and the gateway's processes.

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
from adapters.memory.clock import FakeClock
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from adapters.memory.escrow_contract import InMemoryEscrowContracts
from adapters.memory.ids import SequentialIds
from adapters.memory.rates import FixedRates
from adapters.memory.store import Store
from config.bootstrap import WorkerServices
from config.containers.services import Services
from config.deployments.demo import assets, places
from config.deployments.testing import ARBITER, TestingAdapters, rates
from config.settings import structure
from config.simulation.between import Opened
from config.simulation.network import FINAL_AFTER, Line, Network
from config.simulation.process import Process, SkewedClock
from config.simulation.servers import Post, Servers
from config.simulation.turns import Turns
from domain.chains.service import ChainWatcher
from domain.escrow.service import EscrowService
from domain.intents.service import IntentService
from domain.ledger.conservation import Conservation
from domain.ledger.sealing import Sealing
from domain.ledger.service import LedgerService
from domain.settlements.service import SettlementService
from domain.shared.jobs import JobState
from domain.shared.money import AssetId, ChainId, Money
from domain.webhooks.service import WebhookService

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from config.settings import Settings

CHAIN = ChainId("eip155:31337")
TOKEN = AssetId(f"{CHAIN}/erc20:0x{'7' * 40}")
OTHER_TOKEN = AssetId(f"{CHAIN}/erc20:0x{'6' * 40}")
COIN = AssetId(f"{CHAIN}/slip44:60")
USD = AssetId("iso4217:USD")
HOT, CONTRACT, TREASURY = ("0x" + digit * 40 for digit in "1e2")
STRANGER = "0x" + "5" * 40
TANKS = (10**13, 4 * 10**6)
"""The native coin that the hot wallet may begin with, smallest unit: for ever, or for a day."""


def settings() -> Settings:
    """Return settings for slow chains and sparse schedules: virtual days cost real time."""
    return structure(
        {
            "deployment": "testing",
            "database": {"url": "postgresql://nobody@127.0.0.1/nowhere"},
            "http": {"cursor_key": "simulated" * 4},
            "keys": {"xpub": "simulated", "deposit_key_file": "simulated"},
            "assets": [
                {"id": USD, "symbol": "USD", "decimals": 2},
                {"id": TOKEN, "symbol": "USDT", "decimals": 6, "peg": USD},
                {"id": OTHER_TOKEN, "symbol": "EURX", "decimals": 6},
                {"id": COIN, "symbol": "ETH", "decimals": 18},
            ],
            "chains": [
                {
                    "id": CHAIN,
                    "rpc_url": "http://127.0.0.1:1",
                    "escrow_contract": CONTRACT,
                    "hot_wallet": HOT,
                    "treasury": TREASURY,
                    "first_block": 1,
                }
            ],
            "rates": [
                {"source": source, "asset": asset, "currency": USD, "rate": rate}
                for source in ("one", "two", "three")
                for asset, rate in ((TOKEN, "1"), (COIN, "2500"))
            ],
            "intents": {
                "pay_within_seconds": 2 * 3600,
                "auto_release_after_seconds": 12 * 3600,
                "refund_window_seconds": 24 * 3600,
            },
            "worker": {
                "watch_every_seconds": 300,
                "hand_over_every_seconds": 300,
                "expire_every_seconds": 900,
                "release_every_seconds": 1800,
                "settle_every_seconds": 4 * 3600,
                "sweep_every_seconds": 2 * 3600,
                "reconcile_every_seconds": 4 * 3600,
                "seal_every_seconds": 2 * 3600,
                "keep_rates_every_seconds": 4 * 3600,
                "expire_holds_every_seconds": 4 * 3600,
                "prune_every_seconds": 6 * 3600,
            },
        }
    )


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

    def worker(self) -> WorkerServices:
        """Return what jobs stand on."""
        adapters, services = self.services.adapters, self.services
        return WorkerServices(
            chains=(CHAIN,),
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
            sweeps=services.sweeps(),
            books=self.books,
            conservation=self.conservation,
            answers=services.answers(),
            sealing=self.sealing,
            valuation=services.valuation(),
            webhooks=self.webhooks,
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

    def __init__(self, *, seed: int) -> None:
        self.seed = seed
        self.settings = settings()
        self.clock = FakeClock()
        self.ids = SequentialIds(seed=seed)
        self.store = Store(clock=self.clock, ids=self.ids)
        self.assets = assets(self.settings)
        self.places = places(self.settings)
        self.contracts = InMemoryEscrowContracts()
        self.addresses = InMemoryDepositAddresses(self.settings.keys.xpub)
        self.chain = InMemoryChain(
            chain=CHAIN,
            clock=self.clock,
            contracts=self.contracts,
            native=COIN,
            assets=[TOKEN, OTHER_TOKEN, COIN],
            contract=CONTRACT,
            sender=HOT,
            arbiter=ARBITER,
            treasury=TREASURY,
            deposits=self.addresses,
            final_after=FINAL_AFTER,
        )
        self.rates = [
            it
            for it in rates(self.settings, self.clock, self.assets)
            if isinstance(it, FixedRates)
        ]
        self.network = Network(self.chain, random=self.random("network"))
        self.servers = Servers()
        self.refills: list[tuple[str, int]] = []
        """What was put into the gas tank: by which transaction, and how much."""
        self.storage = StorageFaults(self.store)
        self.turns = Turns(
            clock=self.clock,
            random=self.random("turns"),
            store_is_free=lambda: not self.store.turns.locked(),
            next_job_at=self._next_job_at,
        )

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
        line = {CHAIN: self.chain if truthful else Line(self.network, process)}
        adapters: Any = TestingAdapters(settings=self.settings)
        for provider, adapter in (
            (adapters.clock, SkewedClock(self.clock, skew)),
            (adapters.ids, self.ids),
            (adapters.assets, self.assets),
            (adapters.places, self.places),
            (adapters.begin, opened.begin),
            (adapters.rates, self.rates),
            (adapters.addresses, {CHAIN: self.addresses}),
            (adapters.contracts, self.contracts),
            (adapters.chains, {CHAIN: self.chain}),
            (adapters.readers, line),
            (adapters.senders, line),
            (adapters.publisher, Post(self.servers, process)),
        ):
            provider.override(providers.Object(adapter))
        if adapt is not None:
            adapt(adapters)
        services = Services(settings=self.settings, adapters=adapters)
        services.check_dependencies()
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
        )

    def fill_tank(self, amount: int) -> None:
        """Put native coin into the hot wallet, smallest unit. It is not in the books by that."""
        self.refills.append((self.chain.fund(HOT, Money(amount, COIN)), amount))

    def refilled(self, *, at_block: int) -> int:
        """Return what had been put into the hot wallet by a block, smallest unit."""
        numbers = ((self.chain.blocks.number_of(hash), amount) for hash, amount in self.refills)
        return sum(
            amount for number, amount in numbers if number is not None and number <= at_block
        )

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
