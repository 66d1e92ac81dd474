"""Each invariant of the second chain and of Stars is seen to fail, as those of the first are."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from config.simulation.broken import Broken
from config.simulation.rails import TON, TON_TOKEN
from config.simulation.run import Play
from config.simulation.scenario import Scenario
from config.simulation.star_rules import OURS_HELD, SUSPENSE
from domain.chains.instructions import ReleaseEscrow
from domain.chains.submissions import SubmissionState
from domain.intents.model import IntentStatus, Method
from domain.settlements.payouts import PayoutState
from domain.shared.ids import SubmissionId
from domain.shared.money import Money
from domain.stars.model import STARS, PaymentRole, PaymentState, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from adapters.memory.stars_bot import InMemoryStarsBot
    from adapters.memory.store import Tables

    Spoil: TypeAlias = Callable[[Tables], None]

EPOCH = datetime.fromtimestamp(0, UTC)


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Return a day of four merchants that has come to its end, without faults."""
    play = Play(Scenario(seed=11, days=1, merchants=4, faults=()))
    play.run()
    yield play
    play.world.turns.close()


@pytest.fixture
def bot(play: Play) -> InMemoryStarsBot:
    assert play.world.telegram is not None
    return play.world.telegram.bot


def one(rows: Any, **wanted: object) -> Any:  # noqa: ANN401 (any row)
    """Return a row that has these attributes."""
    return next(
        row for row in rows if all(getattr(row, name) == it for name, it in wanted.items())
    )


def confirmed(tables: Tables, *, release: bool) -> Any:  # noqa: ANN401 (a submission)
    """Return an end of an escrow that is on the chain, or a payout."""
    return next(
        it
        for it in tables.submissions
        if it.state is SubmissionState.CONFIRMED
        and (isinstance(it.instruction, ReleaseEscrow) if release else it.parts)
    )


def expired_on_the_chain(tables: Tables) -> None:
    there = confirmed(tables, release=True)
    expired = attrs.evolve(there, id="sub_spoiled", state=SubmissionState.EXPIRED)
    tables.submissions.put(expired.id, expired)


def issued_again(tables: Tables) -> None:
    there = confirmed(tables, release=False)
    signed = attrs.evolve(there.signed, hash="0xanother")
    again = attrs.evolve(there, id="sub_spoiled", state=SubmissionState.SIGNED, signed=signed)
    tables.submissions.put(again.id, again)


def of_a_payout_that_stays(tables: Tables) -> None:
    there = next(
        it
        for it in tables.submissions
        if it.state is SubmissionState.CONFIRMED and len(it.parts) == 1
    )
    ended = attrs.evolve(there, id=SubmissionId("sub_spoiled"), purpose="po_nobody")
    tables.submissions.put(ended.id, ended)


def charge(**changes: object) -> Spoil:
    """Return what changes a charge that pays an intent."""

    def spoil(tables: Tables) -> None:
        held = one(tables.star_payments, state=PaymentState.HELD, role=PaymentRole.PAYMENT)
        tables.star_payments.put(held.id, attrs.evolve(held, **changes))

    return spoil


def forgotten(tables: Tables) -> None:
    tables.star_payments.remove(one(tables.star_payments).id)


def paid_by_two(tables: Tables) -> None:
    first, second, *_ = (it for it in tables.star_payments if it.role is PaymentRole.PAYMENT)
    tables.star_payments.put(second.id, attrs.evolve(second, intent_id=first.intent_id))


def received_more(tables: Tables) -> None:
    paid = one(tables.intents, method=Method.STARS, status=IntentStatus.SUCCEEDED)
    tables.intents.put(paid.id, attrs.evolve(paid, received=paid.received + 1))


COMMITS: tuple[tuple[str, Spoil], ...] = (
    ("what has expired can never land", expired_on_the_chain),
    ("no message is issued while a former one may land", issued_again),
    ("each part ends as it did on the chain", of_a_payout_that_stays),
    ("a charge is kept", forgotten),
    ("a charge is as Telegram has it", charge(payload="another")),
    ("what is called given back is", charge(state=PaymentState.REFUNDED)),
    ("what is called refused was refused", charge(state=PaymentState.REFUND_REFUSED)),
    ("a second charge goes back", charge(role=PaymentRole.SURPLUS)),
    ("Stars are free after 21 days", charge(state=PaymentState.MATURED)),
    ("a charge is credited once", charge(role=PaymentRole.STRAY, intent_id=None)),
    ("an intent is paid by one charge", paid_by_two),
    ("received is what was charged", received_more),
)


@pytest.mark.parametrize(("invariant", "spoil"), COMMITS)
def test_a_commit_that_breaks_it_is_found(play: Play, invariant: str, spoil: Spoil) -> None:
    store, invariants = play.world.store, play.invariants
    followed = copy.deepcopy(invariants.followed)

    async def commit() -> None:
        async with store.begin() as work:
            spoil(await work._turn.tables())  # type: ignore[attr-defined] # The store's own.
            await work.commit()

    try:
        with pytest.raises(Broken) as broken:
            play.do(commit())
    finally:
        invariants.followed = followed
    assert broken.value.invariant == invariant, broken.value


def more_in_suspense(account: str, asset: str) -> Spoil:
    def spoil(tables: Tables) -> None:
        key: Any = (account, asset)
        tables.sums.put(key, (tables.sums.get(key) or 0) - 1)

    return spoil


@pytest.mark.parametrize(
    ("invariant", "spoil"),
    [
        ("nothing is lost in suspense", more_in_suspense("suspense:ton", TON_TOKEN)),
        ("no Star is lost in suspense", more_in_suspense(SUSPENSE, STARS)),
        ("the books have the charges", more_in_suspense(OURS_HELD, STARS)),
        ("what the list has is claimed", forgotten),
    ],
)
def test_a_whole_that_does_not_fit_is_found(play: Play, invariant: str, spoil: Spoil) -> None:
    spoil(play.world.store.tables)
    try:
        with pytest.raises(Broken) as broken:
            play.checkpoints.at_rest()
    finally:
        play.world.store.journal.undo()
    assert broken.value.invariant == invariant, broken.value


def unread(tables: Tables) -> None:
    tables.star_readings.put("stars", Reading(lines=1))


@pytest.mark.parametrize(
    "spoil",
    [charge(state=PaymentState.REFUND_REFUSED), charge(matures_at=EPOCH), unread],
    ids=["refund", "held", "list"],
)
def test_stars_that_wait_for_ever_are_found(play: Play, spoil: Spoil) -> None:
    play.checkpoints.nothing_is_left()
    spoil(play.world.store.tables)
    try:
        with pytest.raises(Broken, match="nothing is stuck for ever"):
            play.checkpoints.nothing_is_left()
    finally:
        play.world.store.journal.undo()


def test_what_was_taken_back_and_is_still_ours_is_found(play: Play, bot: InMemoryStarsBot) -> None:
    tables = play.world.store.tables
    held = one(tables.star_payments, state=PaymentState.HELD)
    bot.take_back(held.id)
    tables.star_readings.put("stars", Reading(lines=len(bot.lines)))
    try:
        with pytest.raises(Broken, match="what the list has taken back is gone"):
            play.checkpoints.at_rest()
        with pytest.raises(Broken, match="the books equal the bot's balance"):
            play.invariants.stars.all_is_there()
    finally:
        play.world.store.journal.undo()
        bot.lines.pop()
        bot._back.discard(held.id)


def test_a_charge_that_nobody_has_claimed_is_found(play: Play, bot: InMemoryStarsBot) -> None:
    free = bot.charge("nobody's", 5)
    bot.lines[-1] = attrs.evolve(free, money=Money(0, STARS))
    try:
        with pytest.raises(Broken, match="every charge is claimed"):
            play.invariants.stars.all_is_there()
    finally:
        bot.lines.pop()


def test_coins_that_leave_the_shared_wallet_behind_our_back_are_found(play: Play) -> None:
    rail = play.world.rails[TON]
    state = rail.chain.state
    mark = state.journal.mark()
    state.number = rail.final
    state._change(rail.places.hot_wallet, rail.places.native, 1)
    try:
        with pytest.raises(Broken, match="the books equal the chain"):
            play.do(play.checkpoints.look(play.auditor))
    finally:
        state.journal.undo(to=mark)


def test_a_payout_is_paid_on_both_chains(play: Play) -> None:
    paid = [it for it in play.world.store.tables.payouts if it.state is PayoutState.CONFIRMED]
    chains = {it.money.asset.partition("/")[0] for it in paid}
    assert chains == set(play.world.rails)
