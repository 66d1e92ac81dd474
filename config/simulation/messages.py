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
    from domain.chains.submissions import Inclusion, Submission
    from domain.shared.ids import PayoutId

CONCLUDED = frozenset({"confirmed", "reverted"})
ENDED = CONCLUDED | {"refused", "batched", "expired"}
"""The states of a submission that last."""


def inclusion_of(rail: Rail, hash: str) -> Inclusion | None:
    """Return where a transaction is on a chain by the chain itself, or None if it is nowhere."""
    blocks = rail.chain.blocks
    number = blocks.number_of(hash)
    if number is None:
        return None
    return next(it for it in blocks.mined[number].inclusions if it.hash == hash)


def arrived(rail: Rail, submission: Submission) -> Iterator[tuple[PayoutId, SendMoney]]:
    """Return the payouts that a submission has paid on the chain, and what it has sent."""
    if submission.signed is None:
        return
    inclusion = inclusion_of(rail, submission.signed.hash)
    if inclusion is None or not inclusion.succeeded:
        return
    for place, part in enumerate(submission.parts):
        if place not in inclusion.failed:
            yield part.payout_id, part.send


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
        if before is not None and before.signed is not None:
            must(after.signed == before.signed, "signed bytes are kept", key)
        elif after.signed is not None:
            self._signed(after, followed)
        if before is not None:
            if before.state is after.state:
                return
            must(before.state.value not in ENDED, "an end of a submission is one", key)
        if after.signed is None:
            return
        if after.state.value in CONCLUDED:
            self._concluded(after, after.signed.hash)
        elif after.state.value == "expired":
            rail = self._world.rails[after.chain]
            void = after.signed.valid_until is not None and self._lapsed(rail, after)
            must(void, "what has expired can never land", key)

    def nothing_has_risen(self) -> None:
        """See that nothing which was called expired is on a chain.

        Raises:
            Broken: something is.
        """
        for submission in self._world.store.tables.submissions:
            if submission.state.value == "expired" and submission.signed is not None:
                there = inclusion_of(self._world.rails[submission.chain], submission.signed.hash)
                must(there is None, "what has expired can never land", submission.id)

    def _signed(self, submission: Submission, followed: Followed) -> None:
        """See that no payout has bytes while others for it may still take effect."""
        rail = self._world.rails[submission.chain]
        for place, part in enumerate(submission.parts):
            for former in followed.issued[part.payout_id]:
                self._must_be_void(rail, former, part.payout_id)
            followed.issue(part.payout_id, submission, place)

    def _must_be_void(self, rail: Rail, former: Issued, payout: str) -> None:
        submission, place = former
        invariant = "no message is issued while a former one may land"
        if submission.signed is None:
            return
        inclusion = inclusion_of(rail, submission.signed.hash)
        if inclusion is None:
            must(self._lapsed(rail, submission), invariant, payout)
        else:
            failed = not inclusion.succeeded or place in inclusion.failed
            final = inclusion.block_number <= rail.final
            must(failed and final, invariant, payout)

    def _lapsed(self, rail: Rail, submission: Submission) -> bool:
        """Tell whether bytes are in no block, and none can take them in any more."""
        signed = submission.signed
        if signed is None or inclusion_of(rail, signed.hash) is not None:
            return False
        return signed.lapsed(at=rail.chain.blocks.mined[rail.final].block.time)

    def _concluded(self, submission: Submission, hash: str) -> None:
        rail = self._world.rails[submission.chain]
        inclusion = inclusion_of(rail, hash)
        blocks = rail.chain.blocks
        ended = None
        if inclusion is not None:
            ended = inclusion.block_number + rail.chain.state.nature.travels
        right = ended is not None and ended <= rail.final
        must(right, "what is concluded is final", f"{hash} in block {ended} of {blocks.latest}")
        if inclusion is None:
            return
        same = inclusion.succeeded is (submission.state.value == "confirmed")
        must(same, "what is concluded is so on the chain", hash)
        for place, part in enumerate(submission.parts):
            payout = self._world.store.tables.payouts.get(part.payout_id)
            paid = inclusion.succeeded and place not in inclusion.failed
            wanted = PayoutState.CONFIRMED if paid else PayoutState.REFUSED
            right = payout is not None and payout.state is wanted
            must(right, "each part ends as it did on the chain", f"{part.payout_id} {wanted}")
