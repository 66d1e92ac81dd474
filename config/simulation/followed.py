"""What the invariants keep count of: money by place, payouts by settlement."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, TypeAlias

from domain.chains.model import EscrowPaid, Finality, Transfer
from domain.settlements.payouts import PayoutState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.chains.model import Observation
    from domain.chains.submissions import Submission
    from domain.settlements.payouts import Payout

Issued: TypeAlias = "tuple[Submission, int]"
"""What carries a payout out, and the payout's place in it."""


class Followed:
    """Counts that follow the changes, so that nothing has to be summed again."""

    def __init__(self, *, wallet: str = "", memos: Mapping[str, str] | None = None) -> None:
        self.issued: defaultdict[str, list[Issued]] = defaultdict(list)
        """What has been signed for each payout, the oldest first."""
        self._wallet = wallet
        """Where payments are told apart by memos."""
        self._memos = {} if memos is None else memos
        """The memos that payers meant, by what they have written."""
        self.confirmed: defaultdict[str, set[str]] = defaultdict(set)
        """The confirmed payouts of each settlement."""
        self._seen: Counter[tuple[str, str]] = Counter()
        self._final: Counter[tuple[str, str]] = Counter()
        self._assets: defaultdict[str, set[str]] = defaultdict(set)

    def observation(self, before: Observation | None, after: Observation | None) -> str | None:
        """Follow an observation from what it was to what it is; return where it moved money."""
        moved = None
        for observation, sign in ((before, -1), (after, 1)):
            if observation is None or observation.finality is Finality.RETRACTED:
                continue
            fact = observation.fact
            if isinstance(fact, EscrowPaid):
                place: str = fact.escrow_id
            elif isinstance(fact, Transfer):
                place = self._meant(fact)
            else:
                continue
            moved = place
            key = place, fact.money.asset
            self._assets[place].add(fact.money.asset)
            self._seen[key] += sign * fact.money.amount
            if observation.finality is Finality.FINAL:
                self._final[key] += sign * fact.money.amount
        return moved

    def paid(self, place: str, asset: str) -> tuple[int, int]:
        """Return what was seen to come to a place, and what of it for good."""
        return self._seen[place, asset], self._final[place, asset]

    def paid_otherwise(self, place: str, asset: str) -> int:
        """Return what was seen to come to a place in other assets, all added up."""
        return sum(self._seen[place, other] for other in self._assets[place] if other != asset)

    def issue(self, payout_id: str, submission: Submission, place: int) -> None:
        """Follow what is signed for a payout."""
        self.issued[payout_id].append((submission, place))

    def _meant(self, fact: Transfer) -> str:
        """Return the memo that a payer to the shared wallet meant, or the address paid to."""
        if fact.target != self._wallet or fact.memo is None:
            return fact.target
        return self._memos.get(fact.memo, fact.target)

    def payout(self, payout: Payout) -> None:
        """Follow a payout."""
        if payout.state is PayoutState.CONFIRMED:
            self.confirmed[payout.settlement_id or payout.id].add(payout.id)
