"""Each invariant is seen to fail: a world in which all is well is spoiled in one place.

What a commit must not do is refused at the commit, which then leaves nothing behind; so all of
this is tried on one world.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from config.simulation.broken import Broken
from config.simulation.configured import CHAIN, TOKEN
from config.simulation.run import Play
from config.simulation.scenario import Scenario
from domain.chains.model import Finality
from domain.chains.submissions import SubmissionState
from domain.escrow.model import EscrowState
from domain.intents.model import IntentStatus, PaymentException
from domain.ledger.accounts import PAYOUTS_IN_FLIGHT
from domain.settlements.model import SettlementState
from domain.settlements.payouts import PayoutState
from domain.shared.jobs import JobState
from domain.sweeps.model import SweepState
from domain.webhooks.model import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from adapters.memory.store import Tables

    Spoil: TypeAlias = Callable[[Tables], None]


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Return a day of three merchants that has come to its end, without faults."""
    play = Play(Scenario(seed=11, days=1, merchants=3, faults=()))
    play.run()
    yield play
    play.world.turns.close()


def any_of(table: Any, **wanted: object) -> Any:  # noqa: ANN401 (any row)
    """Return a row that has these attributes."""
    for row in table:
        if all(getattr(row, name) == value for name, value in wanted.items()):
            return row
    raise AssertionError(f"no row with {wanted}")


def change(table: Any, row: Any, **changes: object) -> None:  # noqa: ANN401 (any table and row)
    table.put(row.id, attrs.evolve(row, **changes))


def changing(name: str, wanted: dict[str, object], **changes: object) -> Spoil:
    """Return what changes a row of a table that has these attributes."""

    def spoil(tables: Tables) -> None:
        table = getattr(tables, name)
        change(table, any_of(table, **wanted), **changes)

    return spoil


def unbalanced(tables: Tables) -> None:
    booked = any_of(tables.transactions)
    one = attrs.evolve(booked.transaction, reference="spoiled")
    object.__setattr__(one, "postings", one.postings[:1])
    tables.transactions.put("tx_spoiled", attrs.evolve(booked, transaction=one))  # type: ignore[arg-type] # Any id.


def kept(more: int) -> Spoil:
    def spoil(tables: Tables) -> None:
        key, total = next(iter(tables.kept.items()))
        tables.kept.put(key, total + more)

    return spoil


def observed(**changes: object) -> Spoil:
    def spoil(tables: Tables) -> None:
        one = any_of(tables.observations, finality=Finality.FINAL)
        tables.observations.put(one.key, attrs.evolve(one, **changes))

    return spoil


def cursor(**changes: object) -> Spoil:
    def spoil(tables: Tables) -> None:
        one = any_of(tables.cursors, chain=CHAIN)
        tables.cursors.put(CHAIN, attrs.evolve(one, final=attrs.evolve(one.final, **changes)))

    return spoil


def concluded_early(tables: Tables) -> None:
    one = any_of(tables.submissions, state=SubmissionState.CONFIRMED)
    signed = attrs.evolve(one.signed, hash="0xdead")
    early = attrs.evolve(one, id="sub_spoiled", signed=signed)
    tables.submissions.put(early.id, early)


def event(*, further: int) -> Spoil:
    def spoil(tables: Tables) -> None:
        recorded = any_of(tables.events, sequence=1)
        owner = recorded.event.merchant_id
        number = (tables.last_event.get(owner) or 0) + further
        tables.events.put((owner, number), attrs.evolve(recorded, sequence=number))

    return spoil


def changed_event(tables: Tables) -> None:
    recorded = any_of(tables.events, sequence=1)
    tables.events.put((recorded.event.merchant_id, 1), attrs.evolve(recorded, id="evt_another"))


PAID: dict[str, object] = {"status": IntentStatus.SUCCEEDED, "exception": PaymentException.NONE}


def moved(**by: int) -> Spoil:
    """Return what changes the amounts of an intent that was paid."""

    def spoil(tables: Tables) -> None:
        one = any_of(tables.intents, **PAID)
        changes = {name: getattr(one, name) + more for name, more in by.items()}
        change(tables.intents, one, **changes)

    return spoil


def second_payout(tables: Tables) -> None:
    one = any_of(tables.payouts, state=PayoutState.CONFIRMED)
    tables.payouts.put("po_second", attrs.evolve(one, id="po_second"))  # type: ignore[arg-type] # Any id.


CONFIRMED: dict[str, object] = {"state": SubmissionState.CONFIRMED}
RELEASED: dict[str, object] = {"state": EscrowState.RELEASED}
PAID_OUT: dict[str, object] = {"state": SettlementState.PAID_OUT}
ARRIVED: dict[str, object] = {"state": PayoutState.CONFIRMED}

COMMITS: dict[str, tuple[Spoil, ...]] = {
    "postings are never changed": (changing("transactions", {}, booked_at=None),),
    "every transaction sums to zero": (unbalanced,),
    "no promise is below zero": (kept(10**30),),
    "a kept balance is the sum of its postings": (kept(-1),),
    "what is final stays final": (observed(finality=Finality.SEEN), cursor(number=1)),
    "final blocks are of the chain": (cursor(hash="0xdead"),),
    "signed bytes are kept": (changing("submissions", CONFIRMED, signed=None),),
    "an end of a submission is one": (
        changing("submissions", CONFIRMED, state=SubmissionState.BROADCAST),
    ),
    "what is concluded is final": (concluded_early,),
    "events are never changed": (changed_event,),
    "a merchant's events are numbered without gaps": (event(further=2),),
    "captured <= final <= received": (moved(captured=10**30),),
    "received is what was seen": (moved(received=1),),
    "final is what was seen for good": (moved(final=-1, captured=-1),),
    "wrong_asset tells of money that is there": (
        changing("intents", PAID, exception=PaymentException.WRONG_ASSET),
    ),
    "retracted tells of money that is missing": (
        changing("intents", PAID, exception=PaymentException.RETRACTED),
    ),
    "what is captured stays captured": (moved(captured=-1),),
    "success stays success": (changing("intents", PAID, status=IntentStatus.PROCESSING),),
    "every change of every object is an event": (
        changing("intents", PAID, description="a word nobody was told"),
    ),
    "an escrow's end is one": (
        changing("escrows", RELEASED, state=EscrowState.HELD),
        changing("escrows", RELEASED, merchant_amount=1),
    ),
    "a settlement ends once": (changing("settlements", PAID_OUT, state=SettlementState.READY),),
    "a payout ends once": (changing("payouts", ARRIVED, state=PayoutState.BROADCAST),),
    "a settlement is paid once": (second_payout,),
    "a delivery's log is kept": (changing("deliveries", {}, tries=()),),
    "a pending delivery has a due time": (
        changing("deliveries", {}, state=DeliveryState.PENDING),
    ),
}


@pytest.mark.parametrize(
    ("invariant", "spoil"),
    [(invariant, spoil) for invariant, spoils in COMMITS.items() for spoil in spoils],
)
def test_a_commit_that_breaks_it_is_found(play: Play, invariant: str, spoil: Spoil) -> None:
    store, invariants = play.world.store, play.invariants
    counts = copy.deepcopy((invariants.followed, invariants._sequences, invariants._newest))

    async def commit() -> None:
        async with store.begin() as work:
            spoil(await work._turn.tables())  # type: ignore[attr-defined] # The store's own.
            await work.commit()

    try:
        with pytest.raises(Broken) as broken:
            play.do(commit())
    finally:
        invariants.followed, invariants._sequences, invariants._newest = counts
    assert broken.value.invariant == invariant, broken.value


def no_job(tables: Tables) -> None:
    change(tables.deliveries, any_of(tables.deliveries), state=DeliveryState.PENDING)


def second_intent(tables: Tables) -> None:
    one = any_of(tables.intents)
    tables.intents.put("pi_second", attrs.evolve(one, id="pi_second"))  # type: ignore[arg-type] # Any id.


def promised(tables: Tables) -> None:
    key = PAYOUTS_IN_FLIGHT, TOKEN
    tables.sums.put(key, (tables.sums.get(key) or 0) - 10**30)


def another_holding(tables: Tables) -> None:
    key, held = next(iter(tables.holdings.items()))
    tables.holdings.put(key, attrs.evolve(held, amount=held.amount + 1))


def two_sweeps(tables: Tables) -> None:
    one = any_of(tables.sweeps)
    for id in ("sw_first", "sw_second"):
        swept = attrs.evolve(one, id=id, state=SweepState.MOVING, submission_id=None)
        tables.sweeps.put(id, swept)  # type: ignore[arg-type] # Any id.


def unseen(tables: Tables) -> None:
    tables.observations.remove(any_of(tables.observations, finality=Finality.FINAL).key)


@pytest.mark.parametrize(
    ("invariant", "spoil"),
    [
        ("a pending delivery has a job", no_job),
        ("one key has one effect", second_intent),
        ("payouts are covered", promised),
        ("a delivery names the one before it", changing("deliveries", {}, previous_sequence=77)),
        ("everything final was seen", unseen),
        ("holdings are the books", another_holding),
        ("an address has one open sweep", two_sweeps),
        ("an open sweep is under way", changing("sweeps", {}, state=SweepState.MOVING)),
    ],
)
def test_a_whole_that_does_not_fit_is_found(play: Play, invariant: str, spoil: Spoil) -> None:
    spoil(play.world.store.tables)
    play.checkpoints.looked_up_to.clear()
    try:
        with pytest.raises(Broken) as broken:
            _look(play)
    finally:
        play.world.store.journal.undo()
    assert broken.value.invariant == invariant, broken.value


def _look(play: Play) -> None:
    play.checkpoints.everything_was_seen()
    play.checkpoints.at_rest()


@pytest.mark.parametrize(
    "spoil",
    [
        changing("jobs", {}, state=JobState.DEAD),
        changing("settlements", {}, state=SettlementState.READY),
        changing("submissions", {}, state=SubmissionState.QUEUED),
        changing("intents", {}, status=IntentStatus.REQUIRES_PAYMENT),
        changing("escrows", {}, state=EscrowState.HELD),
        changing("sweeps", {}, state=SweepState.FUNDING),
        no_job,
    ],
    ids=["job", "settlement", "submission", "intent", "escrow", "sweep", "delivery"],
)
def test_what_is_left_for_ever_is_found(play: Play, spoil: Spoil) -> None:
    play.checkpoints.nothing_is_left()
    spoil(play.world.store.tables)
    try:
        with pytest.raises(Broken, match="nothing is stuck for ever"):
            play.checkpoints.nothing_is_left()
    finally:
        play.world.store.journal.undo()


def test_a_delivery_that_nobody_has_accepted_is_found(play: Play) -> None:
    accepted = dict(play.world.servers.accepted)
    play.world.servers.accepted.clear()
    try:
        with pytest.raises(Broken, match="what is called delivered was accepted"):
            play.checkpoints.nothing_is_left()
    finally:
        play.world.servers.accepted.update(accepted)


def test_money_that_leaves_behind_our_back_is_found(play: Play) -> None:
    state, contract = play.world.chain.state, play.world.places[CHAIN].escrow_contract
    play.do(play.checkpoints.look(play.auditor))
    mark = state.journal.mark()
    state.number = 1
    assert contract is not None
    state._change(contract, TOKEN, 1)
    try:
        with pytest.raises(Broken, match="the books equal the chain"):
            play.do(play.checkpoints.look(play.auditor))
    finally:
        state.journal.undo(to=mark)
