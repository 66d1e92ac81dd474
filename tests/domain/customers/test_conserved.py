"""Deposits, sweeps, reorgs and deaths in any order: all that is final is somebody's, once."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.chains.model import Finality, Transfer
from domain.customers.model import DepositStatus
from domain.ledger.accounts import PLATFORM_FEES, available
from ports.chain import ChainUnavailable
from tests.builders import CHAIN, USDT
from tests.domain.depositing import (
    address_of_customer,
    deposits_of,
    pay_customer,
    with_minimum,
)
from tests.domain.mishaps import Died, Mortal
from tests.domain.scene import DUE, HOT, OTHER_TOKEN, PLACES
from tests.domain.world import address_for, new_world

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from domain.customers.model import CustomerAddress
    from domain.ledger.accounts import Account
    from domain.shared.money import AssetId
    from tests.domain.world import World

_T = TypeVar("_T")

REORG_MAX = 4
"""As deep as the chain's own word allows: what lies deeper is final."""
MINIMUM = 50
STANDING = {DepositStatus.PENDING, DepositStatus.SUCCEEDED, DepositStatus.BELOW_MINIMUM}
CREDITED = {DepositStatus.SUCCEEDED}
FINAL = STANDING - {DepositStatus.PENDING}


class Deposits(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world: World = with_minimum(self.run(new_world()), MINIMUM)
        self.addresses: list[CustomerAddress] = [
            self.run(address_of_customer(self.world, customer)) for customer in ("one", "two")
        ]
        self.intent = self.run(self.world.intent())

    def run(self, doing: Coroutine[object, object, _T]) -> _T:
        return self.runner.run(doing)

    def teardown(self) -> None:
        try:
            self.run(self._end())
        finally:
            self.runner.close()

    @rule(
        whose=st.integers(0, 1),
        amount=st.sampled_from([0, 1, MINIMUM - 1, MINIMUM, 333, 10**9]),
        asset=st.sampled_from([USDT.id, OTHER_TOKEN.id]),
    )
    def pay(self, whose: int, amount: int, asset: AssetId) -> None:
        pay_customer(self.world, self.addresses[whose], amount, asset=asset)

    @rule()
    def pay_what_is_worth_a_sweep(self) -> None:
        pay_customer(self.world, self.addresses[0], DUE)

    @rule()
    def pay_an_intent(self) -> None:
        self.world.pay(self.intent, 7)

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

    @rule(dies_at=st.none() | st.integers(1, 120))
    def watch(self, dies_at: int | None) -> None:
        watcher = self.world.services.watcher
        if dies_at is not None:
            mortal = Mortal(self.world.around, dies_at=dies_at).services.watcher
            watcher = attrs.evolve(mortal, deposit_minimums=watcher.deposit_minimums)
        with contextlib.suppress(ChainUnavailable, Died):
            self.run(watcher.watch(chain=CHAIN))

    @rule()
    def sweep(self) -> None:
        self.run(self._sweep())

    @invariant()
    def the_books_are_right(self) -> None:
        self.run(self.world.must_be_right())

    @invariant()
    def every_transfer_is_one_deposit(self) -> None:
        at = {it.address: it.id for it in self.addresses}
        seen: Counter[object] = Counter()
        final: Counter[object] = Counter()
        for observation in self.world.around.store.tables.observations:
            fact = observation.fact
            if not isinstance(fact, Transfer) or fact.target not in at:
                continue
            each = (observation.key, at[fact.target], fact.money)
            seen[each] += observation.finality is not Finality.RETRACTED
            final[each] += observation.finality is Finality.FINAL
        found = self.run(deposits_of(self.world))
        told = [(it.key, it.address_id, it.money) for it in found if it.status in STANDING]
        ended = [(it.key, it.address_id, it.money) for it in found if it.status in FINAL]
        assert (Counter(told), Counter(ended)) == (+seen, +final)

    @invariant()
    def what_is_final_is_the_merchants_the_platforms_or_in_suspense(self) -> None:
        found = self.run(deposits_of(self.world))
        for asset in (USDT.id, OTHER_TOKEN.id):
            of_asset = [it for it in found if it.money.asset == asset]
            credited = [it for it in of_asset if it.status in CREDITED]
            little = [it for it in of_asset if it.status is DepositStatus.BELOW_MINIMUM]
            intents = self.run(self.world.now(self.intent)).final if asset == USDT.id else 0
            assert self.booked(available(self.world.merchant.id), asset) == sum(
                it.net or 0 for it in credited
            )
            assert self.booked(PLATFORM_FEES, asset) == sum(it.fee or 0 for it in credited)
            waiting = sum(it.money.amount for it in little)
            assert self.booked(PLACES.suspense, asset) == waiting + intents

    def booked(self, account: Account, asset: AssetId) -> int:
        return self.run(self.world.booked(account, asset))

    async def _sweep(self) -> None:
        with contextlib.suppress(ChainUnavailable):
            await self.world.sweep()
            await self.world.send_and_settle_down()
            await self.world.send_and_settle_down()

    async def _end(self) -> None:
        await self.world.settle_down()
        await self._sweep()
        await self.world.must_be_right()
        statuses = {it.status for it in await deposits_of(self.world)}
        assert DepositStatus.PENDING not in statuses
        held = sum(self.world.held(it.address) for it in self.addresses)
        assert held + self.world.held(address_for(self.intent)) == await self.world.booked(
            PLACES.deposits
        )


TestDeposits = Deposits.TestCase
TestDeposits.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
