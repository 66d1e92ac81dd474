"""How sure a chain has to be of money before it is final for us, by how much there is of it.

A chain says by its own rule which block is final: that is enough for small amounts. A ladder asks
for more where more is at stake: each rung names an amount of an asset, and the evidence that all
money has to have which comes to that amount together.

What is compared with a rung is no single payment but the *money at risk*: all that was paid to us
in the asset, in blocks that do not have the rung's evidence yet, whether we have booked it or not.
So whoever splits a payment, over transactions, addresses or blocks, gains nothing by it: what is
booked without a rung's evidence always comes to less than the rung's amount.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import attrs

from domain.chains.model import Block, EscrowPaid, Transfer
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from domain.chains.model import Observation
    from domain.shared.money import AssetId

BLOCKS_A_SECOND_MAX = 10
"""More blocks than that no chain makes: it bounds in which of them something young can be."""

QUORUM_BLOCKS = 10_000
"""How many blocks below the newest the money is counted on which providers have not agreed."""


@attrs.frozen
class NothingAskedFor(ValueError):
    """A rung has no amount, or asks for no evidence beyond the chain's own rule."""

    at_least: Money


@attrs.frozen(kw_only=True)
class Rung:
    """What so much money of an asset needs, all of it, beyond being final by the chain's rule."""

    at_least: Money
    confirmations: int = 0
    """Blocks on top."""
    age: timedelta = timedelta(0)
    """By the chain's own time: how much later the newest block is."""
    quorum: int = 1
    """How many providers must name the block alike."""

    def __attrs_post_init__(self) -> None:
        asked = self.confirmations > 0 or self.age > timedelta(0) or self.quorum > 1
        if self.at_least.amount <= 0 or not asked:
            raise NothingAskedFor(self.at_least)

    @property
    def reach(self) -> int:
        """How many blocks below the newest money can be that does not have this evidence."""
        by_age = int(self.age.total_seconds()) * BLOCKS_A_SECOND_MAX
        by_quorum = QUORUM_BLOCKS if self.quorum > 1 else 0
        return max(self.confirmations, by_age, by_quorum)

    def buries(self, block: Block, *, under: Block) -> bool:
        """Tell whether a block is deep and old enough, ``under`` being the newest."""
        deep = block.number + self.confirmations <= under.number
        return deep and block.time + self.age <= under.time


Proven: TypeAlias = Mapping[Rung, int]
"""Up to which block a rung's evidence is known to be complete, the providers' word included."""


@attrs.frozen
class Paid:
    """Money that was paid to us, and in which block."""

    block: Block
    money: Money


@attrs.frozen
class Ladder:
    """The rungs of one chain; without any, a chain's own rule is enough for all amounts."""

    rungs: tuple[Rung, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rungs)

    @property
    def assets(self) -> frozenset[AssetId]:
        """The assets of which large amounts need more."""
        return frozenset(rung.at_least.asset for rung in self.rungs)

    @property
    def quorum(self) -> int:
        """How many providers the most demanding rung wants."""
        return max((rung.quorum for rung in self.rungs), default=1)

    def first_counted(self, newest: int, proven: Proven) -> int:
        """Return the lowest block whose money may lack some rung's evidence."""
        lowest = (max(newest - rung.reach, proven.get(rung, -1)) for rung in self.rungs)
        return max(min(lowest, default=newest) + 1, 0)

    def last_final(self, paid: Sequence[Paid], *, newest: Block, goal: int, proven: Proven) -> int:
        """Return the highest block, up to ``goal``, in which all money has what it needs.

        Args:
            paid: What was paid to us in blocks that may lack evidence, lowest first.
            newest: The newest block that was read.
            goal: The block that is final by the chain's own rule.
            proven: See `Proven`; providers are believed to agree on nothing else.
        """
        held = (_reached(rung, paid, newest, proven) for rung in self.rungs)
        return min([goal, *(each - 1 for each in held if each is not None)])

    def waits(
        self, paid: Sequence[Paid], *, newest: Block, block: int, proven: Proven
    ) -> list[Rung]:
        """Return the rungs that a block has reached, and whose evidence it does not have."""
        upto = [each for each in paid if each.block.number <= block]
        return [it for it in self.rungs if _reached(it, upto, newest, proven) is not None]

    def doubtful(
        self, rung: Rung, paid: Sequence[Paid], *, newest: Block, goal: int, proven: Proven
    ) -> list[Block]:
        """Return the blocks with money on which providers have to agree now, lowest first.

        There are some only where a rung is reached and nothing but their word is missing. Who
        names one of them as we do has the same blocks below it.
        """
        upto = [each for each in paid if each.block.number <= goal]
        if rung.quorum == 1 or _reached(rung, upto, newest, proven) is None:
            return []
        known = proven.get(rung, -1)
        return list(
            dict.fromkeys(
                each.block
                for each in upto
                if each.money.asset == rung.at_least.asset
                and each.block.number > known
                and rung.buries(each.block, under=newest)
            )
        )

    def proven_by(
        self, paid: Sequence[Paid], *, newest: Block, final: int, proven: Proven
    ) -> Proven:
        """Return what is known of blocks up to the final one, which will not be replaced."""
        return {
            rung: max(
                (
                    each.block.number
                    for each in paid
                    if each.block.number <= final and _has(rung, each.block, newest, proven)
                ),
                default=min(proven.get(rung, -1), final),
            )
            for rung in self.rungs
        }


def paid_to_us(
    observations: Iterable[Observation], *, escrow: str | None, own: Collection[str]
) -> list[Paid]:
    """Return what others have paid, lowest blocks first.

    A payment into escrow shows twice, as the contract's word and as the token's; it counts once.
    What comes from one of our ``own`` addresses has only changed its place.
    """
    paid: list[Paid] = []
    transfers: list[tuple[str, Block, Transfer]] = []
    explained: Counter[tuple[str, Money]] = Counter()
    for observation in observations:
        transaction, fact = observation.key.transaction, observation.fact
        if isinstance(fact, EscrowPaid):
            explained[transaction, fact.money] += 1
            paid.append(Paid(observation.block, fact.money))
        elif isinstance(fact, Transfer) and fact.source not in own:
            transfers.append((transaction, observation.block, fact))
    for transaction, block, fact in transfers:
        if fact.target == escrow and explained[transaction, fact.money]:
            explained[transaction, fact.money] -= 1
        else:
            paid.append(Paid(block, fact.money))
    return sorted(paid, key=lambda it: it.block.number)


def _has(rung: Rung, block: Block, newest: Block, proven: Proven) -> bool:
    """Tell whether a block has a rung's evidence; then all blocks below it have."""
    agreed = block.number <= proven.get(rung, -1)
    return agreed or (rung.quorum == 1 and rung.buries(block, under=newest))


def _reached(rung: Rung, paid: Sequence[Paid], newest: Block, proven: Proven) -> int | None:
    """Return the lowest block at which the money at risk comes to a rung's amount."""
    at_risk = 0
    for each in paid:
        counts = each.money.asset == rung.at_least.asset
        if counts and not _has(rung, each.block, newest, proven):
            at_risk += each.money.amount
            if at_risk >= rung.at_least.amount:
                return each.block.number
    return None
