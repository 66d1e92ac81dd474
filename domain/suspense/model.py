"""Suspense, piece by piece: money that has come in and is not, or not all, what was asked for.

An item is what of one final observation lies in suspense. It is decided once, by its intent or by
a person; what that leaves of it is an item of its own.
"""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from domain.chains.model import ObservationKey
from domain.shared.ids import CustomerAddressId, DecisionId, IntentId, PayoutId, SuspenseId
from domain.shared.money import ChainId, Money


class Why(enum.StrEnum):
    """Why money lies in suspense."""

    NO_MEMO = "no_memo"
    """It came to the gateway's own wallet, with nothing beside it that says whose it is."""
    UNKNOWN_MEMO = "unknown_memo"
    """It came to the gateway's own wallet, with a text that is no intent's memo."""
    WRONG_ASSET = "wrong_asset"
    """It came to an intent that is to be paid in something else, or to a customer's address in
    something that is not on the list."""
    BELOW_MINIMUM = "below_minimum"
    """It came to a customer's address, and is less than what is credited."""
    UNDERPAID = "underpaid"
    """It is a part of what an intent is due, and the rest has not come."""
    OVERPAID = "overpaid"
    """It is more than its intent takes."""
    LATE = "late"
    """It came when its intent's time was over."""
    IN_CONTRACT = "in_contract"
    """It was sent straight to the escrow contract, which has no way to send it on."""


class ItemState(enum.StrEnum):
    """Where an item stands; all but ``open`` and ``returning`` are ends."""

    OPEN = "open"
    CAPTURED = "captured"
    """Its own intent has taken it: the rest came, or the merchant has accepted it."""
    ASSIGNED = "assigned"
    RETURNING = "returning"
    RETURNED = "returned"
    BROUGHT_IN = "brought_in"


WAITING = frozenset({ItemState.OPEN, ItemState.RETURNING})
"""The states of items that are not at their end."""


@attrs.frozen
class MalformedSuspenseId(ValueError):
    """The text is no item's name: ``<chain>/<transaction>/<position>``, and ``.<part>``."""

    text: str


@attrs.frozen
class AlreadyDecided(Exception):
    """The item has been decided: there is nothing left of it to decide."""

    id: SuspenseId
    state: ItemState


@attrs.frozen
class NotReturning(Exception):
    """The item is not on its way back."""

    id: SuspenseId
    state: ItemState


@attrs.frozen
class OutOfReach(Exception):
    """The money lies in the escrow contract, out of which we cannot take it."""

    id: SuspenseId


@attrs.frozen
class NotATopUp(Exception):
    """The money was paid to an intent or to a customer, so it is no operator's own."""

    id: SuspenseId
    paid_to: IntentId | CustomerAddressId


@attrs.frozen
class OtherAsset(Exception):
    """The intent is to be paid in another asset."""

    id: SuspenseId
    asset: str
    due: str


@attrs.frozen
class AlreadyCounted(Exception):
    """The intent counts this money already; its merchant accepts it there."""

    id: SuspenseId
    intent_id: IntentId


@attrs.frozen
class SuspenseItem:
    """What of one final observation lies in suspense."""

    key: ObservationKey
    money: Money
    """What came to lie here."""
    left: int
    """What of it still does, or is on its way back; in the asset's smallest unit."""
    source: str
    target: str
    memo: str | None
    why: Why
    paid_to: IntentId | CustomerAddressId | None
    """The intent whose address or memo, or the customer whose address, was paid to."""
    counted_by: IntentId | None
    """The intent that has it in its ``final``, and has not captured it."""
    paid_at: datetime
    """The time of its block."""
    changed_at: datetime
    state: ItemState = ItemState.OPEN
    payout_id: PayoutId | None = None
    """What gives it back, while that is under way and when it is done."""
    part: int = 1
    """Counts the items of one observation: each is what a decision about the last one left."""

    @property
    def id(self) -> SuspenseId:
        """Its name."""
        return name_of(self.key, part=self.part)

    @property
    def chain(self) -> ChainId:
        """The chain that it is on."""
        return self.key.chain

    def capture(self, amount: int, *, at: datetime) -> SuspenseItem:
        """Note that its own intent has taken so much of it."""
        self.must_be_open()
        left = self.left - amount
        state = ItemState.OPEN if left else ItemState.CAPTURED
        return attrs.evolve(self, left=left, state=state, changed_at=at)

    def assign(self, *, at: datetime) -> SuspenseItem:
        """End it: an intent counts the money now.

        Raises:
            AlreadyDecided, OutOfReach: it cannot be decided.
        """
        self.must_be_movable()
        return self._end(ItemState.ASSIGNED, at=at)

    def counted(self, by: IntentId, *, why: Why, at: datetime) -> SuspenseItem:
        """Return the item that comes after this one: its money, counted by an intent."""
        return attrs.evolve(
            self,
            money=attrs.evolve(self.money, amount=self.left),
            why=why,
            counted_by=by,
            changed_at=at,
            part=self.part + 1,
        )

    def promise(self, *, payout_id: PayoutId, at: datetime) -> SuspenseItem:
        """Let a payout give it back. No intent counts it any more.

        Raises:
            AlreadyDecided, OutOfReach: it cannot be decided.
        """
        self.must_be_movable()
        return attrs.evolve(
            self,
            state=ItemState.RETURNING,
            counted_by=None,
            payout_id=payout_id,
            changed_at=at,
        )

    def arrive(self, *, at: datetime) -> SuspenseItem:
        """End it: the money is back, for good."""
        self._must_be_returning()
        return self._end(ItemState.RETURNED, at=at)

    def reopen(self, *, at: datetime) -> SuspenseItem:
        """Let it wait for another decision: there is proof that the money has not left."""
        self._must_be_returning()
        return attrs.evolve(self, state=ItemState.OPEN, payout_id=None, changed_at=at)

    def bring_in(self, *, at: datetime) -> SuspenseItem:
        """End it: the money is the platform's own, which an operator has put in.

        Raises:
            AlreadyDecided, OutOfReach: it cannot be decided.
            NotATopUp: it was paid to an intent or a customer.
        """
        self.must_be_movable()
        if self.paid_to is not None:
            raise NotATopUp(self.id, self.paid_to)
        return self._end(ItemState.BROUGHT_IN, at=at)

    def must_be_open(self) -> None:
        """Refuse to decide what is decided.

        Raises:
            AlreadyDecided: it is.
        """
        if self.state is not ItemState.OPEN:
            raise AlreadyDecided(self.id, self.state)

    def must_be_movable(self) -> None:
        """Refuse to decide what is decided, or what nobody can move.

        Raises:
            AlreadyDecided, OutOfReach: it is one of these.
        """
        self.must_be_open()
        if self.why is Why.IN_CONTRACT:
            raise OutOfReach(self.id)

    def _must_be_returning(self) -> None:
        if self.state is not ItemState.RETURNING:
            raise NotReturning(self.id, self.state)

    def _end(self, state: ItemState, *, at: datetime) -> SuspenseItem:
        return attrs.evolve(self, left=0, state=state, counted_by=None, changed_at=at)


def _trimmed(text: str) -> str:
    return text.strip()


class Verdict(enum.StrEnum):
    """What a person can decide of an item."""

    ASSIGN = "assign"
    RETURN = "return"
    TOP_UP = "top_up"


@attrs.frozen
class NobodyDecides(ValueError):
    """A decision names who has made it, and why."""


@attrs.frozen
class Decision:
    """What a person has decided of an item. It is kept for good, whatever comes of it.

    Raises:
        NobodyDecides: who or why is missing.
    """

    id: DecisionId
    item_id: SuspenseId
    verdict: Verdict
    money: Money
    by: str = attrs.field(converter=_trimmed)
    note: str = attrs.field(converter=_trimmed)
    at: datetime
    intent_id: IntentId | None = None
    """To whom it was assigned."""
    taken_from: IntentId | None = None
    """The intent that had counted it until then."""
    destination: str | None = None
    """Where it was sent back to."""
    payout_id: PayoutId | None = None
    """What was to give it back; how that went is the payout's to say."""

    def __attrs_post_init__(self) -> None:
        if not self.by or not self.note:
            raise NobodyDecides


def name_of(key: ObservationKey, *, part: int = 1) -> SuspenseId:
    """Name an item by what came in, as explorers show it."""
    suffix = "" if part == 1 else f".{part}"
    return SuspenseId(f"{key.chain}/{key.transaction}/{key.position}{suffix}")


def read_name(text: str) -> tuple[ObservationKey, int]:
    """Return which observation an item's name speaks of, and which of its items it is.

    Raises:
        MalformedSuspenseId: it is no such name.
    """
    chain, _, rest = text.partition("/")
    transaction, _, place = rest.rpartition("/")
    position, dot, part = place.partition(".")
    numbers = [position, part] if dot else [position, "1"]
    if not chain or not transaction or not all(it.isascii() and it.isdigit() for it in numbers):
        raise MalformedSuspenseId(text)
    return ObservationKey(ChainId(chain), transaction, int(position)), int(numbers[1])
