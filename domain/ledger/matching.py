"""Which entry of one block is on one side alone: in the books, or on the chain."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import attrs

from domain.chains.model import Transfer, WalletCharged
from domain.ledger.accounts import gas

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.chains.model import Observation
    from domain.ledger.comparing import Place
    from domain.ledger.model import BookedTransaction


@attrs.frozen
class Moved:
    """A change of what a place holds, by the chain's word or the books': in is more than 0."""

    name: str
    """``chain transaction 0x… position 3``, or ``booked transaction tx_… (payout po_…)``."""
    transaction: str
    amount: int


def on_chain(observations: Iterable[Observation], place: Place) -> list[Moved]:
    """Return what is known to have changed at a place, in the chain's order.

    Transfers have, and what the network has taken from a wallet without a transaction of the
    wallet's own. The fees of those are in no log.
    """
    ours, found = set(place.addresses), []
    for observation in observations:
        key, amount = observation.key, 0
        match observation.fact:
            case Transfer(money=money, source=source, target=target):
                if money.asset == place.asset:
                    amount = money.amount * ((target in ours) - (source in ours))
            case WalletCharged(cost=cost, wallet=wallet):
                at_hot_wallet = place.account == gas(place.chain)
                here = at_hot_wallet if wallet is None else wallet in ours
                if here and place.asset == cost.asset:
                    amount = -cost.amount
            case _:
                pass  # What a contract did; its tokens are moved by transfers.
        if amount:
            name = f"chain transaction {key.transaction} position {key.position}"
            found.append(Moved(name, key.transaction, amount))
    return found


def in_books(transactions: Iterable[BookedTransaction], place: Place) -> list[Moved]:
    """Return what bookings have changed at a place, in the books' order."""
    found = []
    for booked in transactions:
        it = booked.transaction
        amount = sum(
            posting.money.amount
            for posting in it.postings
            if (posting.account, posting.money.asset) == (place.account, place.asset)
        )
        name = f"booked transaction {booked.id} ({it.kind} {it.reference})"
        if amount:
            found.append(Moved(name, booked.id, amount))
    return found


def first_unmatched(chain: Sequence[Moved], books: Sequence[Moved]) -> str | None:
    """Name the first entry that the other side does not have, or None where each has its like.

    One booking may stand for all that a chain transaction did at the place, or for one transfer.
    """
    left = Counter(moved.amount for moved in books)
    unbooked = _unbooked(chain, left)
    groundless = _groundless(books, left)
    if unbooked and groundless:
        real, wrong = unbooked[0], groundless[0]
        return f"{wrong.name} says {wrong.amount} where {real.name} moves {real.amount}"
    if unbooked:
        return f"{unbooked[0].name} moves {unbooked[0].amount} and is not booked"
    if groundless:
        return f"{groundless[0].name} says {groundless[0].amount} and is not on the chain"
    return None


def one_too_many(books: Sequence[Moved], *, excess: int) -> str | None:
    """Name the last booking without which the books would agree, or None where there is none."""
    for moved in reversed(books):
        if moved.amount == excess:
            return f"{moved.name} says {moved.amount} and is not on the chain"
    return None


def without_like(chain: Sequence[Moved], books: Sequence[Moved]) -> list[Moved]:
    """Return the bookings of which the chain does not tell; of those that are alike the later."""
    left = Counter(entry.amount for entry in books)
    _unbooked(chain, left)
    return _groundless(books, left)


def never_booked(chain: Sequence[Moved], books: Sequence[Moved], *, excess: int) -> str | None:
    """Name the first change that is not booked and by which the books would agree, or None."""
    for moved in _unbooked(chain, Counter(entry.amount for entry in books)):
        if moved.amount == -excess:
            return f"{moved.name} moves {moved.amount} and is not booked"
    return None


def _by_transaction(moves: Iterable[Moved]) -> list[list[Moved]]:
    grouped: dict[str, list[Moved]] = defaultdict(list)
    for moved in moves:
        grouped[moved.transaction].append(moved)
    return list(grouped.values())


def _unbooked(chain: Sequence[Moved], left: Counter[int]) -> list[Moved]:
    """Take each move's like out of what is left of the books; return moves that have none."""
    unbooked: list[Moved] = []
    for moves in _by_transaction(chain):
        total = sum(moved.amount for moved in moves)
        if left[total]:
            left[total] -= 1
        elif total:
            for moved in moves:
                if left[moved.amount]:
                    left[moved.amount] -= 1
                else:
                    unbooked.append(moved)
    return unbooked


def _groundless(books: Sequence[Moved], left: Counter[int]) -> list[Moved]:
    """Return the bookings that are left; of those that are alike the later is the one too many."""
    groundless: list[Moved] = []
    for moved in reversed(books):
        if left[moved.amount]:
            left[moved.amount] -= 1
            groundless.insert(0, moved)
    return groundless
