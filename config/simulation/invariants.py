"""What must hold after every commit, looked at where something has changed.

``Invariants.after`` is told of each commit by the store, just before its changes stand.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs

from config.simulation.broken import must
from config.simulation.configured import CHAIN
from config.simulation.deposit_rules import DepositRules
from config.simulation.followed import Followed
from config.simulation.messages import Messages
from config.simulation.rails import TON, TON_HOT
from config.simulation.star_rules import StarRules
from domain.chains.model import Finality
from domain.customers.view import view_deposit
from domain.escrow.model import EscrowState, EscrowTerms
from domain.escrow.view import view_escrow
from domain.intents.model import (
    DepositAddress,
    IntentStatus,
    PaymentException,
    SharedAddress,
    StarsInvoice,
)
from domain.intents.view import view_intent
from domain.ledger.accounts import is_constrained
from domain.ledger.model import balance
from domain.settlements.model import SettlementState
from domain.settlements.payouts import PayoutState
from domain.settlements.view import view_payout, view_settlement
from domain.shared.money import Money
from domain.shared.platform import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.memory.tables import Journal
    from config.simulation.world import World
    from domain.chains.model import Cursor, Observation, ObservationKey
    from domain.chains.submissions import Submission
    from domain.customers.model import Deposit
    from domain.escrow.claims import Claim
    from domain.escrow.model import Escrow
    from domain.intents.model import PaymentIntent
    from domain.ledger.model import BookedTransaction
    from domain.settlements.model import Settlement
    from domain.settlements.payouts import Payout
    from domain.shared.events import RecordedEvent
    from domain.shared.money import ChainId
    from domain.webhooks.model import Delivery


ENDED = frozenset({EscrowState.RELEASED, EscrowState.REFUNDED, EscrowState.RESOLVED})


class Invariants:
    """Looks at what each commit has changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.followed = Followed(wallet=TON_HOT, memos=world.memos)
        self.stars = StarRules(world)
        self.deposits = DepositRules(world)
        self.commits = 0
        self._messages = Messages(world)
        self._tables = world.store.tables
        tables = self._tables
        self._checks: Mapping[Any, Callable[[Any, Any, Any], None]] = {
            tables.transactions: self._booked,
            tables.kept: self._kept,
            tables.observations: self._observed,
            tables.events: self._told,
            tables.cursors: self._cursor,
            tables.submissions: self._submission,
            tables.settlements: self._settlement,
            tables.payouts: self._payout,
            tables.deliveries: self._delivery,
            tables.escrows: self._escrow,
            tables.customer_addresses: self.deposits.address,
            tables.deposits: self._deposit,
            tables.intents: self._intent,
            tables.star_payments: self.stars.payment,
        }
        self._order = {table: place for place, table in enumerate(self._checks)}
        self._newest: dict[str, Mapping[str, object]] = {}
        """What the newest event of each object said of it."""
        self._sequences: Counter[str] = Counter()
        self._places: list[str] = []
        """Where money was seen to come, or not to have come, in the commit looked at."""
        self._transfers: list[tuple[ObservationKey, Observation | None]] = []
        """What was observed in the commit looked at, and what was known of it before."""

    def after(self, journal: Journal) -> None:
        """Look at a commit.

        Raises:
            Broken: an invariant does not hold any more.
        """
        self.commits += 1
        first: dict[tuple[int, Any], tuple[Any, Any, Any]] = {}
        for table, key, before in journal.changes():
            first.setdefault((id(table), key), (table, key, before))
        touched = [it for it in first.values() if it[0] in self._checks]
        touched.sort(key=lambda it: self._order[it[0]])
        for table, key, before in touched:
            after = table.get(key)
            if after != before:
                self._checks[table](key, before, after)
        places, self._places = self._places, []
        for place in places:
            for intent in self._tables.intents.where(address=(CHAIN, place)):
                self._must_be_what_was_seen(intent)
            for intent in self._tables.intents.where(memo=(TON, place)):
                self._must_be_what_was_seen(intent)
        transfers, self._transfers = self._transfers, []
        for key, was in transfers:
            self.deposits.transfer(key, was)

    # The books.

    def _booked(self, key: str, before: object, after: BookedTransaction | None) -> None:
        must(before is None and after is not None, "postings are never changed", key)
        if after is None:
            return
        sums: Counter[str] = Counter()
        for posting in after.transaction.postings:
            sums[posting.money.asset] += posting.money.amount
        must(not any(sums.values()), "every transaction sums to zero", key)

    def _kept(self, key: Any, _: object, after: int | None) -> None:  # noqa: ANN401 (a table's key)
        account, asset = key
        kept = balance(account, Money(after or 0, asset)).money.amount
        must(kept >= 0, "no promise is below zero", f"{account} {asset} {kept}")
        must(is_constrained(account), "only promises have a balance row", account)
        same = self._tables.sums.get(key) == after
        must(same, "a kept balance is the sum of its postings", f"{account} {asset}")

    # The chain.

    def _observed(self, key: Any, before: Observation | None, after: Observation | None) -> None:  # noqa: ANN401 (a table's key)
        self._transfers.append((key, before))
        place = self.followed.observation(before, after)
        if place is not None:
            self._places.append(place)
        if before is not None:
            over = before.finality is Finality.FINAL
            must(not over, "what is final stays final", str(before.key))

    def _cursor(self, key: ChainId, before: Cursor | None, after: Cursor | None) -> None:
        if after is None:
            return
        chain = self.world.rails[key].chain.blocks.mined
        number = after.final.number
        must(number <= after.seen.number, "what is final has been read", str(after))
        if before is not None:
            must(number >= before.final.number, "what is final stays final", str(after))
        right = number < len(chain) and chain[number].block.hash == after.final.hash
        must(right, "final blocks are of the chain", f"block {number}")
        if key == CHAIN and before is not None and number > before.final.number:
            held = self.world.evidence.held_from(after.seen)
            right = held is None or number < held
            must(right, "no amount is final before its rung", f"{number}, held from {held}")

    def _submission(self, key: str, before: Submission | None, after: Submission | None) -> None:
        self._messages.look(key, before, after, self.followed)

    # What merchants see.

    def _told(self, key: Any, before: object, after: RecordedEvent | None) -> None:  # noqa: ANN401 (a table's key)
        if after is None and key[0] == PLATFORM:
            return  # It was too old to be kept.
        must(before is None and after is not None, "events are never changed", str(key))
        if after is None:
            return
        event = after.event
        self._sequences[event.merchant_id] += 1
        right = after.sequence == self._sequences[event.merchant_id]
        must(right, "a merchant's events are numbered without gaps", str(key))
        if event.merchant_id != PLATFORM:
            self._newest[event.object_id] = event.data
            self.deposits.told(event)

    def _intent(self, key: str, before: PaymentIntent | None, after: PaymentIntent | None) -> None:
        if after is None:
            return
        self._must_be_what_was_seen(after)
        given_back = isinstance(after.pay_to, StarsInvoice) and not self.stars.is_earned(after)
        if before is not None and not given_back:
            _must_have_moved_on(before, after)
        self._must_be_told(key, view_intent(after, self.world.assets))

    def _must_be_what_was_seen(self, after: PaymentIntent) -> None:
        right = 0 <= after.captured <= after.final <= after.received
        must(right, "captured <= final <= received", _amounts(after))
        match after.pay_to:
            case EscrowTerms() as terms:
                place: str = self.world.contracts.escrow_id(terms)
            case DepositAddress(address=address):
                place = address
            case SharedAddress(memo=memo):
                place = memo
            case StarsInvoice():
                self.stars.intent(after)
                return
        seen, final = self.followed.paid(place, after.due.asset)
        must(after.received == seen, "received is what was seen", f"{_amounts(after)} {seen}")
        must(after.final == final, "final is what was seen for good", f"{_amounts(after)} {final}")
        if after.exception is PaymentException.WRONG_ASSET:
            other = self.followed.paid_otherwise(place, after.due.asset)
            must(other > 0, "wrong_asset tells of money that is there", _amounts(after))
        if after.exception is PaymentException.RETRACTED:
            enough = after.policy.enough(got=after.received, due=after.due.amount)
            must(not enough, "retracted tells of money that is missing", _amounts(after))

    def _escrow(self, key: str, before: Escrow | None, after: Escrow | None) -> None:
        if after is None:
            return
        if before is not None and before.state in ENDED:
            same = attrs.evolve(after, claims=before.claims) == before
            must(same and _only_withdrawn(before, after), "an escrow's end is one", key)
        if after.state in ENDED:
            fee = 0 if after.state is EscrowState.REFUNDED else after.fee.fee.amount
            parts = after.payer_amount + after.merchant_amount + fee
            must(parts == after.terms.money.amount, "an escrow's parts are what was held", key)
        self._must_be_told(key, view_escrow(after, self.world.assets))

    def _settlement(self, key: str, before: Settlement | None, after: Settlement | None) -> None:
        if after is None:
            return
        if before is not None:
            must(before.state is not SettlementState.PAID_OUT, "a settlement ends once", key)
            must(after.money == before.money, "a settlement's amount is fixed", key)
        self._must_be_told(key, view_settlement(after, self.world.assets))

    def _payout(self, key: str, before: Payout | None, after: Payout | None) -> None:
        if after is None:
            return
        if before is not None:
            ended = before.state in {PayoutState.CONFIRMED, PayoutState.REFUSED}
            must(not ended, "a payout ends once", key)
        self.followed.payout(after)
        paid = self.followed.confirmed[after.settlement_id or after.id]
        must(len(paid) <= 1, "a settlement is paid once", f"{after.settlement_id} by {paid}")
        if after.merchant_id is not None:
            self._must_be_told(key, view_payout(after, self.world.assets))

    def _deposit(self, key: str, before: Deposit | None, after: Deposit | None) -> None:
        self.deposits.deposit(key, before, after)
        if after is not None:
            self._must_be_told(key, view_deposit(after, self.world.assets))

    def _delivery(self, key: str, before: Delivery | None, after: Delivery | None) -> None:
        if after is None or before is None:
            return
        kept = after.tries[: len(before.tries)] == before.tries
        must(kept, "a delivery's log is kept", key)
        if after.state.value == "pending":
            must(after.next_try_at is not None, "a pending delivery has a due time", key)

    def _must_be_told(self, key: str, view: Mapping[str, object]) -> None:
        must(self._newest.get(key) == view, "every change of every object is an event", key)


def _only_withdrawn(before: Escrow, after: Escrow) -> bool:
    """Tell whether nothing has become of claims but that some were withdrawn, once each."""
    return len(before.claims) == len(after.claims) and all(
        now == claim or (claim.withdrawn_at is None and _before_it_was_withdrawn(now) == claim)
        for claim, now in zip(before.claims, after.claims, strict=True)
    )


def _before_it_was_withdrawn(claim: Claim) -> Claim:
    return attrs.evolve(claim, withdrawn_at=None, withdrawn_to=None)


def _must_have_moved_on(before: PaymentIntent, after: PaymentIntent) -> None:
    """Final is final: what is captured stays, and an end stays one but for late money."""
    what = f"{_amounts(before)} -> {_amounts(after)}"
    right = after.final >= before.final and after.captured >= before.captured
    must(right, "what is captured stays captured", what)
    if before.status is IntentStatus.SUCCEEDED:
        must(after.status is IntentStatus.SUCCEEDED, "success stays success", what)
    if before.closed and after.status is not before.status:
        must(after.final > before.final, "only late money opens an end again", what)


def _amounts(intent: PaymentIntent) -> str:
    return (
        f"{intent.id} {intent.status} {intent.exception} "
        f"{intent.received}/{intent.final}/{intent.captured}"
    )
