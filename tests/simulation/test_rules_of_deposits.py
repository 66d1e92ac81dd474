"""Each invariant of customers' deposits, and of several bytes with a number, is seen to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from config.simulation.broken import Broken
from config.simulation.configured import CHAIN, UNLISTED
from config.simulation.deposit_rules import CREDIT, DepositRules
from config.simulation.messages import Messages, landed
from config.simulation.run import Play
from config.simulation.scenario import Scenario
from domain.chains.model import Finality, ObservationKey
from domain.chains.submissions import SubmissionState
from domain.customers.model import DepositStatus
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from adapters.memory.store import Tables
    from domain.customers.model import Deposit

    Spoil: TypeAlias = Callable[[Tables], None]

S = DepositStatus


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Return a day with deposits that has come to its end, without faults."""
    play = Play(Scenario(seed=16, days=1, merchants=3, faults=(), rails=("evm", "customers")))
    play.run()
    yield play
    play.world.turns.close()


@pytest.fixture
def tables(play: Play) -> Iterator[Tables]:
    yield play.world.store.tables
    play.world.store.journal.undo()


def of(tables: Tables, status: DepositStatus) -> Deposit:
    return next(it for it in tables.deposits if it.status is status)


class TestCommit:
    @pytest.mark.parametrize(
        ("invariant", "status", "changes"),
        [
            ("a deposit's fee is the merchant's", S.SUCCEEDED, {"fee": 10**9}),
            ("what is too little is not credited", S.BELOW_MINIMUM, {"status": S.SUCCEEDED}),
            ("a deposit is credited once", S.SUCCEEDED, {"id": "dep_nobodys"}),
            ("only what succeeds is credited", S.SUCCEEDED, {"status": S.PENDING}),
            ("what is enough is credited", S.SUCCEEDED, {"status": S.BELOW_MINIMUM}),
            ("what is too little is set aside once", S.BELOW_MINIMUM, {"id": "dep_nobodys"}),
        ],
    )
    def test_a_deposit_that_is_not_what_it_says_is_found(
        self,
        play: Play,
        tables: Tables,
        invariant: str,
        status: DepositStatus,
        changes: dict[str, Any],
    ) -> None:
        deposit = attrs.evolve(of(tables, status), **changes)
        if invariant == "what is too little is not credited":
            deposit = attrs.evolve(deposit, fee=deposit.fees.on(deposit.money).fee.amount)
        if invariant == "what is enough is credited":
            deposit = attrs.evolve(deposit, fee=None, id="dep_nobodys")  # type: ignore[arg-type] # Any id.
        with pytest.raises(Broken) as broken:
            play.invariants.deposits.deposit(deposit.id, None, deposit)
        assert broken.value.invariant == invariant

    def test_another_booking_is_found(self, play: Play, tables: Tables) -> None:
        deposit = of(tables, S.SUCCEEDED)
        play.invariants.deposits.deposit(deposit.id, None, deposit)
        booked = next(it for it in tables.transactions if it.transaction.kind == CREDIT)
        tables.transactions.put("tx_again", booked)  # type: ignore[arg-type] # Any id.
        with pytest.raises(Broken, match="a deposit is credited once"):
            play.invariants.deposits.deposit(deposit.id, None, deposit)

    def test_a_deposit_that_changes_is_found(self, play: Play, tables: Tables) -> None:
        rules, ended = play.invariants.deposits, of(tables, S.SUCCEEDED)
        pending = attrs.evolve(ended, status=S.PENDING, fee=None)
        rules.deposit(ended.id, pending, ended)
        with pytest.raises(Broken, match="a deposit ends once"):
            rules.deposit(ended.id, ended, pending)
        with pytest.raises(Broken, match="a deposit stays what it is"):
            rules.deposit(ended.id, attrs.evolve(pending, customer="somebody else"), ended)
        with pytest.raises(Broken, match="deposits are kept"):
            rules.deposit(ended.id, ended, None)

    def test_an_address_that_changes_hands_is_found(self, play: Play, tables: Tables) -> None:
        rules, address = play.invariants.deposits, next(iter(tables.customer_addresses))
        rules.address(address.id, None, address)
        with pytest.raises(Broken, match="a customer's address stays"):
            rules.address(address.id, address, attrs.evolve(address, customer="another"))
        again = attrs.evolve(address, id="ca_second", address="0xsecond")  # type: ignore[arg-type] # Any id.
        tables.customer_addresses.put(again.id, again)
        with pytest.raises(Broken, match="a customer has one address"):
            rules.address(again.id, None, again)

    @pytest.mark.parametrize(
        "types",
        [
            ("deposit.succeeded",),
            ("deposit.received", "deposit.received"),
            ("deposit.received", "deposit.retracted", "deposit.succeeded"),
            ("deposit.received", "deposit.succeeded", "deposit.retracted"),
        ],
    )
    def test_events_out_of_order_are_found(
        self, play: Play, tables: Tables, types: tuple[str, ...]
    ) -> None:
        rules = DepositRules(play.world)
        some = next(it.event for it in tables.events if it.event.type == "deposit.received")
        *right, wrong = (attrs.evolve(some, type=type) for type in types)
        for event in right:
            rules.told(event)
        with pytest.raises(Broken, match="a deposit's events are in order"):
            rules.told(wrong)


def observed(**changes: object) -> Callable[[Tables, Deposit], None]:
    """Return what changes the observation of a deposit."""

    def spoil(tables: Tables, deposit: Deposit) -> None:
        seen: Any = tables.observations.get(deposit.key)
        tables.observations.put(deposit.key, attrs.evolve(seen, **changes))

    return spoil


def paid(money: Callable[[Money], Money]) -> Callable[[Tables, Deposit], None]:
    """Return what changes what a transfer brought."""

    def spoil(tables: Tables, deposit: Deposit) -> None:
        seen: Any = tables.observations.get(deposit.key)
        observed(fact=attrs.evolve(seen.fact, money=money(deposit.money)))(tables, deposit)

    return spoil


def gone(tables: Tables, deposit: Deposit) -> None:
    tables.deposits.remove(deposit.id)


@pytest.mark.parametrize(
    ("invariant", "spoil"),
    [
        ("a deposit goes with its block", observed(finality=Finality.RETRACTED)),
        ("a deposit ends when it is final", observed(finality=Finality.SEEN)),
        ("each transfer is one deposit", gone),
        ("a deposit is what came", paid(lambda it: it + it)),
        ("what is not on the list is no deposit", paid(lambda it: Money(it.amount, UNLISTED))),
    ],
)
def test_a_transfer_that_is_not_one_deposit_is_found(
    play: Play, tables: Tables, invariant: str, spoil: Callable[[Tables, Deposit], None]
) -> None:
    deposit = of(tables, S.SUCCEEDED)
    play.invariants.deposits.transfer(deposit.key, None)
    spoil(tables, deposit)
    with pytest.raises(Broken) as broken:
        play.invariants.deposits.transfer(deposit.key, None)
    assert broken.value.invariant == invariant


class TestWhole:
    def test_a_lost_deposit_is_found(self, play: Play, tables: Tables) -> None:
        gone(tables, of(tables, S.BELOW_MINIMUM))
        with pytest.raises(Broken, match="each transfer is one deposit"):
            DepositRules(play.world).at_rest()

    @pytest.mark.parametrize(
        ("invariant", "status"),
        [
            ("each deposit is one transfer", S.SUCCEEDED),
            ("what comes again is the same deposit", S.RETRACTED),
        ],
    )
    def test_one_too_many_is_found(
        self, play: Play, tables: Tables, invariant: str, status: DepositStatus
    ) -> None:
        known = of(tables, S.SUCCEEDED)
        key = ObservationKey(CHAIN, known.key.transaction, 10**6)
        again = attrs.evolve(known, id="dep_again", key=key, status=status)  # type: ignore[arg-type] # Any id.
        tables.deposits.put(again.id, again)
        with pytest.raises(Broken, match=invariant):
            DepositRules(play.world).at_rest()

    def test_what_stays_pending_is_left(self, play: Play, tables: Tables) -> None:
        known = of(tables, S.SUCCEEDED)
        assert not list(play.checkpoints.left())
        tables.deposits.put(known.id, attrs.evolve(known, status=S.PENDING, fee=None))
        assert list(play.checkpoints.left()) == [f"{known.id} is pending"]


class TestSeveralBytesWithANumber:
    def test_a_cancellation_that_did_not_land_is_found(self, play: Play, tables: Tables) -> None:
        rail, messages = play.world.rails[CHAIN], Messages(play.world)
        messages.nothing_has_risen()
        there = next(it for it in tables.submissions if it.state is SubmissionState.CONFIRMED)
        tables.submissions.put(
            there.id, attrs.evolve(there, state=SubmissionState.CANCELED, unwanted=True)
        )
        assert landed(rail, there) is not None
        with pytest.raises(Broken, match="what was canceled can never land"):
            messages.nothing_has_risen()

    def test_a_cancellation_that_is_called_a_success_is_found(
        self, play: Play, tables: Tables
    ) -> None:
        ended = next(it for it in tables.submissions if it.state is SubmissionState.CANCELED)
        before = attrs.evolve(ended, state=SubmissionState.BROADCAST)
        right, messages = play.invariants.followed, Messages(play.world)
        messages.look(ended.id, before, ended, right)
        wrong = attrs.evolve(ended, state=SubmissionState.CONFIRMED)
        with pytest.raises(Broken, match="what is concluded is so on the chain"):
            messages.look(ended.id, before, wrong, right)

    def test_another_number_is_found(self, play: Play, tables: Tables) -> None:
        before = next(it for it in tables.submissions if it.state is SubmissionState.CONFIRMED)
        assert before.signed is not None
        signed = attrs.evolve(before.signed, hash="0xother", sequence=before.signed.sequence + 1)
        after = attrs.evolve(before, earlier=before.attempts, signed=signed)
        with pytest.raises(Broken, match="what replaces a transaction has its number"):
            Messages(play.world).look(before.id, before, after, play.invariants.followed)

    def test_two_that_land_are_found(self, play: Play, tables: Tables) -> None:
        first, second = [it for it in tables.submissions if it.signed is not None][:2]
        both = attrs.evolve(first, earlier=second.attempts)
        with pytest.raises(Broken, match="one of several with a number lands"):
            landed(play.world.rails[CHAIN], both)
