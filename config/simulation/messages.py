"""What must hold of the gateway's own transactions: no bytes too many, and every end is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.simulation.broken import must
from domain.settlements.payouts import PayoutState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.simulation.followed import Followed, Issued
    from config.simulation.rails import Rail
    from config.simulation.world import World
    from domain.chains.instructions import SendMoney
    from domain.chains.submissions import Inclusion, SignedBytes, Submission
    from domain.shared.ids import PayoutId

CONCLUDED = frozenset({"confirmed", "reverted", "canceled"})
"""The states in which bytes of a submission are in a block for good."""
ENDED = CONCLUDED | {"refused", "batched", "expired"}
"""The states of a submission that last."""


_NEVER = {
    "expired": "what has expired can never land",
    "canceled": "what was canceled can never land",
}


def inclusion_of(rail: Rail, hash: str) -> Inclusion | None:
    """Return where a transaction is on a chain by the chain itself, or None if it is nowhere."""
    blocks = rail.chain.blocks
    number = blocks.number_of(hash)
    if number is None:
        return None
    return next(it for it in blocks.mined[number].inclusions if it.hash == hash)


def landed(rail: Rail, submission: Submission) -> tuple[SignedBytes, Inclusion] | None:
    """Return what of all that was signed for a submission is on the chain, and where.

    Raises:
        Broken: two of them are.
    """
    there = [(it, inclusion_of(rail, it.hash)) for it in submission.attempts]
    found = [(it, inclusion) for it, inclusion in there if inclusion is not None]
    must(len(found) <= 1, "one of several with a number lands", submission.id)
    return found[0] if found else None


def arrived(rail: Rail, submission: Submission) -> Iterator[tuple[PayoutId, SendMoney]]:
    """Return the payouts that a submission has paid on the chain, and what it has sent."""
    found = landed(rail, submission)
    if found is None:
        return
    signed, inclusion = found
    for place, part in enumerate(submission.parts):
        if _took_effect(signed, inclusion, place):
            yield part.payout_id, part.send


def _took_effect(signed: SignedBytes, inclusion: Inclusion, place: int) -> bool:
    """Tell whether a part of what was signed has come to pass."""
    return not signed.cancels and inclusion.succeeded and place not in inclusion.failed


class Messages:
    """Looks at what each commit has changed of submissions."""

    def __init__(self, world: World) -> None:
        self._world = world

    def look(
        self, key: str, before: Submission | None, after: Submission | None, followed: Followed
    ) -> None:
        """Look at one submission.

        Raises:
            Broken: an invariant does not hold any more.
        """
        if after is None:
            return
        attempts = () if before is None else before.attempts
        must(after.attempts[: len(attempts)] == attempts, "signed bytes are kept", key)
        places = {(it.sender, it.sequence) for it in after.attempts}
        must(len(places) <= 1, "what replaces a transaction has its number", key)
        if after.attempts and not attempts:
            self._signed(after, followed)
        if before is not None:
            if before.state is after.state:
                return
            must(before.state.value not in ENDED, "an end of a submission is one", key)
        if not after.attempts:
            return
        if after.state.value in CONCLUDED:
            self._concluded(after)
        elif after.state.value == "expired":
            void = self._lapsed(self._world.rails[after.chain], after)
            must(void, _NEVER["expired"], key)

    def nothing_has_risen(self) -> None:
        """See that nothing which was called expired or canceled is on a chain.

        Raises:
            Broken: something is.
        """
        for submission in self._world.store.tables.submissions:
            if submission.state.value in _NEVER:
                found = landed(self._world.rails[submission.chain], submission)
                void = found is None or found[0].cancels
                must(void, _NEVER[submission.state.value], submission.id)

    def _signed(self, submission: Submission, followed: Followed) -> None:
        """See that no payout has bytes while others for it may still take effect."""
        rail = self._world.rails[submission.chain]
        for place, part in enumerate(submission.parts):
            for former in followed.issued[part.payout_id]:
                self._must_be_void(rail, former, part.payout_id)
            followed.issue(part.payout_id, submission, place)

    def _must_be_void(self, rail: Rail, former: Issued, payout: str) -> None:
        issued, place = former
        invariant = "no message is issued while a former one may land"
        # Other bytes may have been signed for it since.
        submission = self._world.store.tables.submissions.get(issued.id) or issued
        found = landed(rail, submission)
        if found is None:
            must(self._lapsed(rail, submission), invariant, payout)
        else:
            final = found[1].block_number <= rail.final
            must(final and not _took_effect(*found, place), invariant, payout)

    def _lapsed(self, rail: Rail, submission: Submission) -> bool:
        """Tell whether bytes are in no block, and none can take them in any more."""
        time = rail.chain.blocks.mined[rail.final].block.time
        return landed(rail, submission) is None and submission.lapsed(at=time)

    def _concluded(self, submission: Submission) -> None:
        rail = self._world.rails[submission.chain]
        found = landed(rail, submission)
        ended = None
        if found is not None:
            ended = found[1].block_number + rail.chain.state.nature.travels
        right = ended is not None and ended <= rail.final
        what = f"{submission.id} in block {ended} of {rail.chain.blocks.latest}"
        must(right, "what is concluded is final", what)
        if found is None:
            return
        signed, inclusion = found
        state = "confirmed" if inclusion.succeeded else "reverted"
        same = submission.state.value == ("canceled" if signed.cancels else state)
        must(same, "what is concluded is so on the chain", f"{submission.id} {signed.hash}")
        for place, part in enumerate(submission.parts):
            payout = self._world.store.tables.payouts.get(part.payout_id)
            paid = _took_effect(signed, inclusion, place)
            wanted = PayoutState.CONFIRMED if paid else PayoutState.REFUSED
            right = payout is not None and payout.state is wanted
            must(right, "each part ends as it did on the chain", f"{part.payout_id} {wanted}")
