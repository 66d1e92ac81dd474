"""The gateway as a whole: payers, reorgs, decisions and deaths in any order, and the rules.

After every step the postings balance, no promise is below zero, the books equal the chain at the
final block to the last unit, and no chain event has been credited twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from domain.chains.model import EscrowPaid, Finality, Transfer
from domain.escrow.model import (
    EscrowActionInProgress,
    EscrowState,
    EscrowTerms,
    EscrowTransitionRefused,
)
from domain.intents.model import IntentStatus, IntentTransitionRefused
from domain.ledger.accounts import is_constrained
from domain.ledger.model import balance
from domain.merchants.model import PaymentPolicy, PayoutTerms, Verdict
from domain.settlements.payouts import PayoutState
from domain.shared.money import Money
from ports.chain import ChainUnavailable
from ports.unit_of_work import NotFound
from tests.builders import CHAIN, coins, usdt
from tests.domain.mishaps import Died, Mortal
from tests.domain.scene import CONTRACTS, DUE, HOT, OTHER_TOKEN, PAYER, PLACES, STRANGER, TILL
from tests.domain.world import address_for, another_merchant, new_world, terms_for

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from domain.intents.model import PaymentIntent
    from domain.shared.ids import IntentId, PayoutId
    from tests.domain.services import Services
    from tests.domain.world import World

_T = TypeVar("_T")

REORG_MAX = 4
"""As deep as the chain's own word allows: what lies deeper is final."""

ENDED = frozenset({EscrowState.RELEASED, EscrowState.REFUNDED, EscrowState.RESOLVED})


class Gateway(RuleBasedStateMachine):
    addresses = Bundle("addresses")
    escrows = Bundle("escrows")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world: World = self.run(new_world())
        self.before: dict[IntentId, PaymentIntent] = {}
        self.ended: dict[str, EscrowState] = {}

    def run(self, doing: Coroutine[object, object, _T]) -> _T:
        return self.runner.run(doing)

    def teardown(self) -> None:
        try:
            self.run(self._bring_to_an_end())
        finally:
            self.runner.close()

    @initialize(
        tolerance=st.sampled_from([0, 100]),
        overpaid=st.sampled_from(Verdict),
        late=st.sampled_from(Verdict),
    )
    def begin(self, tolerance: int, overpaid: Verdict, late: Verdict) -> None:
        policy = PaymentPolicy(underpaid_tolerance_bps=tolerance, overpaid=overpaid, late=late)
        merchant = self.run(
            another_merchant(
                self.world, payments=policy, payouts=PayoutTerms(destinations={CHAIN: TILL})
            )
        )
        self.world = attrs.evolve(self.world, merchant=merchant)

    # What merchants do.

    @rule(target=addresses)
    def ask_at_an_address(self) -> PaymentIntent:
        return self.run(self.world.intent())

    @rule(target=escrows)
    def ask_into_escrow(self) -> PaymentIntent:
        return self.run(self.world.escrow_intent())

    @rule(target=escrows)
    def paid_into_escrow(self) -> PaymentIntent:
        intent = self.run(self.world.escrow_intent())
        self.world.pay_escrow(intent)
        self.run(self.world.read(3))
        return intent

    @rule(intent=addresses | escrows)
    def cancel(self, intent: PaymentIntent) -> None:
        self._try(self.world.services.intents.cancel, intent)

    @rule(intent=addresses)
    def accept(self, intent: PaymentIntent) -> None:
        self._try(self.world.services.intents.accept, intent)

    @rule(intent=escrows, release=st.booleans())
    def ask_for_an_end(self, *, intent: PaymentIntent, release: bool) -> None:
        escrows = self.world.services.escrows
        self._try(escrows.release if release else escrows.refund, intent)

    # What others do on the chain.

    @rule(intent=addresses, amount=st.sampled_from([1, DUE // 2, DUE, DUE + 7]))
    def pay(self, intent: PaymentIntent, amount: int) -> None:
        self.world.pay(intent, amount)

    @rule(intent=addresses)
    def pay_in_another_token(self, intent: PaymentIntent) -> None:
        self.world.pay(intent, 3, asset=OTHER_TOKEN.id)

    @rule(intent=escrows)
    def pay_into_escrow(self, intent: PaymentIntent) -> None:
        self.world.pay_escrow(intent)

    @rule(intent=escrows)
    def release_as_the_payer(self, intent: PaymentIntent) -> None:
        self.world.chain.release(terms_for(intent), by=PAYER)

    @rule(intent=escrows)
    def dispute(self, intent: PaymentIntent) -> None:
        self.world.chain.dispute(terms_for(intent), by=PAYER)

    @rule(intent=escrows, part=st.sampled_from([0, 1, DUE // 3, DUE]))
    def resolve(self, intent: PaymentIntent, part: int) -> None:
        self.world.chain.resolve(terms_for(intent), payer_amount=part)

    @rule(to=st.sampled_from([HOT, PLACES.escrow_contract]))
    def give(self, to: str) -> None:
        self.world.chain.transfer(usdt(11), source=STRANGER, target=to)

    @rule(who=st.sampled_from([HOT, PAYER, PLACES.treasury]))
    def withdraw(self, who: str) -> None:
        self.world.chain.withdraw(usdt(0).asset, by=who, to=who)

    @rule(who=st.sampled_from([HOT, PAYER]))
    def reject_pushes(self, who: str) -> None:
        self.world.chain.reject_pushes_to(who)

    # What the chain and time do.

    @rule(blocks=st.integers(1, 6))
    def mine(self, blocks: int) -> None:
        self.world.chain.mine(blocks)

    @rule(depth=st.integers(1, REORG_MAX), drop=st.booleans())
    def reorganize(self, *, depth: int, drop: bool) -> None:
        chain = self.world.chain
        newest = chain.blocks.mined[-depth:]
        gone = [it.hash for mined in newest for it in mined.transactions if it.sender != HOT]
        with contextlib.suppress(ValueError):
            chain.reorg(depth=depth, drop=gone[:1] if drop else ())

    @rule(minutes=st.sampled_from([1, 11, 61]))
    def wait(self, minutes: int) -> None:
        self.world.clock.advance(minutes=minutes)

    @rule()
    def fail_the_network(self) -> None:
        self.world.chain.fail_next()

    @rule()
    def lose_an_answer(self) -> None:
        self.world.chain.time_out_after_accepting()

    # What the worker does, to its end or to a step at which it dies.

    @rule(dies_at=st.none() | st.integers(1, 80))
    def watch(self, dies_at: int | None) -> None:
        self._work(lambda services: services.watcher.watch(chain=CHAIN), dies_at)

    @rule(dies_at=st.none() | st.integers(1, 60))
    def send(self, dies_at: int | None) -> None:
        self._work(lambda services: services.sender.send(chain=CHAIN), dies_at)

    @rule(dies_at=st.none() | st.integers(1, 40))
    def settle(self, dies_at: int | None) -> None:
        self._work(lambda services: services.settlements.run(), dies_at)

    @rule(dies_at=st.none() | st.integers(1, 20))
    def expire(self, dies_at: int | None) -> None:
        self._work(lambda services: services.intents.expire_due(chain=CHAIN), dies_at)

    @precondition(lambda self: len(self.world.around.store.tables.submissions) > 0)
    @rule()
    def carry_on(self) -> None:
        """Send, and let the chain take it in: what most other steps lead to."""
        self.run(self._carry_on())

    @precondition(lambda self: self._refused_payouts())
    @rule()
    def retry_a_payout(self) -> None:
        self.run(
            self.world.services.settlements.retry_payout(payout_id=self._refused_payouts()[0])
        )

    # The rules.

    @invariant()
    def the_books_are_right(self) -> None:
        self.world.chain._faults = 0
        self.run(self.world.must_be_right())

    @invariant()
    def no_promise_is_below_zero(self) -> None:
        for (account, asset), total in self.world.around.store.tables.sums.items():
            if is_constrained(account):
                assert balance(account, Money(total, asset)).money.amount >= 0, account

    @invariant()
    def every_chain_event_is_credited_once(self) -> None:
        seen: Counter[object] = Counter()
        final: Counter[object] = Counter()
        for observation in self.world.around.store.tables.observations:
            fact, finality = observation.fact, observation.finality
            if finality is Finality.RETRACTED or not isinstance(fact, Transfer | EscrowPaid):
                continue
            paid = fact.escrow_id if isinstance(fact, EscrowPaid) else fact.target
            seen[paid, fact.money.asset] += fact.money.amount
            if finality is Finality.FINAL:
                final[paid, fact.money.asset] += fact.money.amount
        for intent in self.world.around.store.tables.intents:
            escrow = isinstance(intent.pay_to, EscrowTerms)
            place = CONTRACTS.escrow_id(terms_for(intent)) if escrow else address_for(intent)
            assert intent.received == seen[place, intent.due.asset], intent
            assert intent.final == final[place, intent.due.asset], intent

    @invariant()
    def intents_add_up(self) -> None:
        for intent in self.world.around.store.tables.intents:
            assert 0 <= intent.captured <= intent.final <= intent.received, intent
            before = self.before.get(intent.id)
            if before is not None:
                _must_have_moved_on(before, intent)
            self.before[intent.id] = intent

    @invariant()
    def what_has_ended_stays_so(self) -> None:
        for escrow in self.world.around.store.tables.escrows:
            if escrow.state in ENDED:
                assert self.ended.setdefault(escrow.id, escrow.state) is escrow.state

    @invariant()
    def a_payout_is_paid_at_most_once(self) -> None:
        tables = self.world.around.store.tables
        promised = sum(it.money.amount for it in tables.settlements)
        assert self.world.held(TILL) <= promised
        for settlement in tables.settlements:
            paid = [
                it
                for it in tables.payouts
                if it.settlement_id == settlement.id and it.state is PayoutState.CONFIRMED
            ]
            assert len(paid) <= 1

    def _refused_payouts(self) -> list[PayoutId]:
        tables = self.world.around.store.tables
        newest = {it.payout_id for it in tables.settlements}
        return [
            it.id for it in tables.payouts if it.state is PayoutState.REFUSED and it.id in newest
        ]

    def _try(
        self, verb: Callable[..., Coroutine[object, object, object]], intent: PaymentIntent
    ) -> None:
        with contextlib.suppress(
            IntentTransitionRefused, EscrowTransitionRefused, EscrowActionInProgress, NotFound
        ):
            self.run(verb(owner=self.world.merchant.id, intent_id=intent.id))

    def _work(
        self, work: Callable[[Services], Coroutine[object, object, object]], dies_at: int | None
    ) -> None:
        services = self.world.services
        if dies_at is not None:
            services = Mortal(self.world.around, dies_at=dies_at).services
        with contextlib.suppress(ChainUnavailable, Died):
            self.run(work(services))

    async def _carry_on(self) -> None:
        with contextlib.suppress(ChainUnavailable):
            await self.world.send()
            await self.world.settle_down()

    async def _bring_to_an_end(self) -> None:
        """Let the worker do what is left: then nothing of ours is on its way any more."""
        world = self.world
        world.chain._faults = 0
        world.chain._accepts_and_times_out = False
        world.chain.fund(HOT, coins(0))
        for _ in range(4):
            world.clock.advance(minutes=1)
            await world.send()
            await world.settle_down()
        await world.must_be_right()
        tables = world.around.store.tables
        for intent in tables.intents:
            assert intent.status is not IntentStatus.PROCESSING or tables.escrows.where(
                intent=intent.id
            ), intent
        states = Counter(it.state for it in tables.payouts)
        assert set(states) <= {PayoutState.CONFIRMED, PayoutState.REFUSED, PayoutState.APPROVED}
        paid = sum(it.money.amount for it in tables.payouts if it.state is PayoutState.CONFIRMED)
        assert world.held(TILL) == paid


def _must_have_moved_on(before: PaymentIntent, after: PaymentIntent) -> None:
    """Final is final: what is captured stays, and an end stays one but for late money."""
    assert after.final >= before.final
    assert after.captured >= before.captured
    if before.status is IntentStatus.SUCCEEDED:
        assert after.status is IntentStatus.SUCCEEDED, after
    if before.closed and after.status is not before.status:
        # Only money that came after the end opens an ended intent again.
        assert after.final > before.final, (before, after)


TestGateway = Gateway.TestCase
TestGateway.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
