"""What is ready to be signed for an in-memory chain, and what it offers the network for that."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import (
    FundGas,
    Instruction,
    RefundEscrow,
    ReleaseEscrow,
    ReleaseMany,
    SendMany,
    SendMoney,
    SweepDeposit,
    SweepMany,
)
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.memory.blocks import Blocks, PendingTransaction
    from domain.chains.submissions import SignedBytes
    from domain.shared.money import AssetId

COST = 21_000
"""What each transaction of the gateway costs, in the native coin's smallest unit."""

STUCK_AFTER = 3
"""After how many blocks what offers too little is replaced."""

REPLACEMENTS_MAX = 3


@attrs.frozen
class PreparedInstruction:
    """An instruction that would be carried out as things stand."""

    instruction: Instruction
    fee_limit: Money
    sender: str
    valid_until: datetime | None = attrs.field(default=None, repr=False)
    offer: int = attrs.field(default=0, repr=False)
    cancels: bool = attrs.field(default=False, repr=False)


def sent_by(instruction: Instruction) -> Counter[AssetId]:
    """Return what an instruction takes from its sender, the fee apart."""
    match instruction:
        case SendMoney(money=money) | FundGas(money=money) | SweepDeposit(money=money):
            return Counter({money.asset: money.amount})
        case SendMany(parts=parts):
            sent: Counter[AssetId] = Counter()
            for part in parts:
                sent[part.send.money.asset] += part.send.money.amount
            return sent
        case ReleaseEscrow() | ReleaseMany() | RefundEscrow() | SweepMany():
            return Counter()


class Offers:
    """Finds what to sign besides what waits, by what the network asks."""

    def __init__(
        self, blocks: Blocks, *, native: AssetId, signed: Mapping[str, PendingTransaction]
    ) -> None:
        self._blocks = blocks
        self._limit = Money(2 * COST, native)
        self._signed = signed

    def better(
        self, instruction: Instruction, attempts: Sequence[SignedBytes], *, waited: int
    ) -> PreparedInstruction | None:
        """Return the same for what the network asks now, if the newest of these offers less."""
        newest = attempts[-1]
        enough = self._signed[newest.hash].offer >= self._blocks.asked
        if waited < STUCK_AFTER or enough or len(attempts) > REPLACEMENTS_MAX:
            return None
        if self._blocks.is_used(newest.sender, newest.sequence):
            return None
        return PreparedInstruction(
            instruction,
            self._limit,
            newest.sender,
            newest.valid_until,
            offer=self._blocks.asked,
            cancels=newest.cancels,
        )

    def nothing(self, attempts: Sequence[SignedBytes]) -> PreparedInstruction | None:
        """Return what does nothing and offers more; None for what expires anyway."""
        newest = attempts[-1]
        if newest.valid_until is not None:
            return None
        if self._blocks.is_used(newest.sender, newest.sequence):
            return None
        nothing = SendMoney(Money(0, self._limit.asset), newest.sender)
        offer = max(self._signed[newest.hash].offer + 1, self._blocks.asked)
        return PreparedInstruction(nothing, self._limit, newest.sender, offer=offer, cancels=True)
