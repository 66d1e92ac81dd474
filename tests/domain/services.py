"""Every service over the in-memory adapters, composed as a deployment composes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from adapters.keys.ed25519 import Ed25519Signer
from adapters.memory.addresses import InMemoryAddresses
from adapters.memory.chain import InMemoryChain
from adapters.memory.clock import FakeClock
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from adapters.memory.ids import SequentialIds
from adapters.memory.publisher import RecordingPublisher
from adapters.memory.rates import FixedRates
from adapters.memory.store import Store
from domain.chains.sending import Sender
from domain.chains.service import ChainWatcher
from domain.customers.service import CustomerService
from domain.escrow.service import EscrowService
from domain.intents.issuing import IntentRules
from domain.intents.quotes import RateRules
from domain.intents.service import IntentService
from domain.ledger.comparing import Comparing
from domain.ledger.conservation import Conservation
from domain.ledger.sealing import Sealing
from domain.ledger.service import LedgerService
from domain.ledger.statements import Statements
from domain.ledger.valuation import Valuation
from domain.merchants.service import MerchantService
from domain.settlements.service import SettlementService
from domain.suspense.service import SuspenseService
from domain.sweeps.service import SweepService
from domain.webhooks.service import WebhookService
from ports.unit_of_work import Begin
from tests.builders import CHAIN, COIN, CONTRACT, USD, USDT

if TYPE_CHECKING:
    from domain.chains.places import Places
    from domain.shared.money import Assets
    from ports.chain import ChainReader, ChainSender
from tests.domain.scene import (
    ARBITER,
    ASSETS,
    CONTRACTS,
    HOT,
    OTHER_TOKEN,
    PLACES,
    SWEEP_FROM,
    TREASURY,
)

RULES = IntentRules(
    pay_within=timedelta(hours=1),
    auto_release_after=timedelta(days=7),
    refund_window=timedelta(days=7),
)
STATEMENT_KEY = Ed25519Signer(bytes(32))
"""The key of this world's statements: a test's, and nobody's."""


@attrs.frozen(kw_only=True)
class Surroundings:
    """What the services stand on: time, names, storage, a chain, a server, three rates."""

    clock: FakeClock = attrs.field(factory=FakeClock)
    ids: SequentialIds = attrs.field(factory=SequentialIds)
    store: Store = attrs.field()
    chain: InMemoryChain = attrs.field()
    publisher: RecordingPublisher = attrs.field(factory=RecordingPublisher)
    rates: Sequence[FixedRates] = attrs.field()

    @store.default
    def _store(self) -> Store:
        return Store(clock=self.clock, ids=self.ids)

    @chain.default
    def _chain(self) -> InMemoryChain:
        return InMemoryChain(
            chain=CHAIN,
            clock=self.clock,
            contracts=CONTRACTS,
            native=COIN.id,
            assets=[USDT.id, OTHER_TOKEN.id],
            contract=CONTRACT,
            sender=HOT,
            arbiter=ARBITER,
            treasury=TREASURY,
            deposits=InMemoryDepositAddresses(),
        )

    @rates.default
    def _rates(self) -> Sequence[FixedRates]:
        sources = [FixedRates(name=name, clock=self.clock) for name in ("north", "south", "west")]
        for source in sources:
            source.say(USDT, USD, "1")
            source.say(COIN, USD, "2500")
        return sources


@attrs.frozen(kw_only=True)
class Services:
    """Every use case, composed as a deployment composes them."""

    begin: Begin
    merchants: MerchantService
    intents: IntentService
    customers: CustomerService
    escrows: EscrowService
    settlements: SettlementService
    suspense: SuspenseService
    sweeps: SweepService
    books: LedgerService
    conservation: Conservation
    sealing: Sealing
    statements: Statements
    valuation: Valuation
    webhooks: WebhookService
    watcher: ChainWatcher
    sender: Sender


def compose(
    around: Surroundings,
    *,
    begin: Begin | None = None,
    reader: ChainReader | None = None,
    sender: ChainSender | None = None,
    places: Places = PLACES,
    assets: Assets = ASSETS,
) -> Services:
    """Compose the services of one process; a test may put something between it and its ports."""
    begin = begin or around.store.begin
    clock, ids, chain = around.clock, around.ids, places.chain
    readers = {chain: reader or around.chain}
    senders = {chain: sender or around.chain}
    at = {chain: places}
    return Services(
        begin=begin,
        merchants=MerchantService(begin, clock, ids),
        intents=IntentService(
            begin=begin,
            clock=clock,
            ids=ids,
            assets=assets,
            rates=around.rates,
            rate_rules=RateRules(),
            rules=RULES,
            addresses={places.chain: InMemoryDepositAddresses()},
            contracts=CONTRACTS,
            places=at,
        ),
        customers=CustomerService(begin, clock, ids, {chain: InMemoryDepositAddresses()}, at),
        escrows=EscrowService(begin, clock, ids, assets),
        settlements=SettlementService(begin, clock, ids, assets, at),
        suspense=SuspenseService(begin, clock, ids, assets, at, InMemoryAddresses()),
        sweeps=SweepService(begin, clock, ids, readers, senders, at, {USDT.id: SWEEP_FROM}),
        books=LedgerService(begin, clock, assets, readers, at),
        conservation=Conservation(Comparing(begin, assets, readers, at), clock),
        sealing=Sealing(begin),
        statements=Statements(begin, clock, assets, STATEMENT_KEY),
        valuation=Valuation(begin, clock, assets, around.rates, RateRules(), USD.id),
        webhooks=WebhookService(begin, clock, ids, around.publisher),
        watcher=ChainWatcher(begin, clock, ids, assets, CONTRACTS, readers, at),
        sender=Sender(begin, clock, ids, assets, senders, at),
    )
