"""What comes of a message of ours: the transactions that it sets off, one after the other.

A wallet's transaction sends messages, each of which is one transaction of another account, in the
same block or a later one. The hot wallet first tells itself what to send. A payout in coins ends
with the recipient's transaction; one in jettons goes by our jetton wallet and the recipient's, and
what it has not used up comes back. What a recipient does with his money then is no more of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from pytoniq_core.tlb.transaction import Transaction

from adapters.ton.facts import is_excess
from adapters.ton.messages import InternalTransfer, JettonTransfer
from adapters.ton.transactions import (
    aborted,
    account_of,
    change,
    sent_out,
    taken_in,
    went_back,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adapters.ton.scanner import Scanner
    from adapters.ton.transactions import Message, MessageName

BLOCKS_AT_ONCE: Final = 100
"""A trace is followed through so many blocks by one call, and further by the next."""


@attrs.frozen(eq=False)
class Step:
    """A transaction, and the masterchain block that made it final."""

    transaction: Transaction
    block: int


class Trace:
    """A message of ours on its way. It grows until nothing of it is under way any more."""

    def __init__(self, root: Step) -> None:
        """Begin with the transaction of the wallet that has taken the message in."""
        self.root: Final = root
        self.sender: Final = account_of(root.transaction)
        self._steps: Final[dict[MessageName, Step]] = {}
        self._next_block = root.block
        self._jetton_wallets: Final[set[str]] = set()
        self._waiting: Final = set(self._children(root.transaction))

    @property
    def settled(self) -> bool:
        """Whether all of it has come to pass, or never will."""
        return not self._waiting

    @property
    def block(self) -> int:
        """The masterchain block of the newest transaction."""
        return max([self.root.block, *(step.block for step in self._steps.values())])

    @property
    def succeeded(self) -> bool:
        """Whether anything that was to be sent has arrived."""
        return len(self.failed) < len(self._heads())

    @property
    def failed(self) -> frozenset[int]:
        """The places of those messages that have come back; the wallet sends all or none."""
        heads = self._heads()
        return frozenset(place for place, each in enumerate(heads) if not self._arrived(each))

    @property
    def cost(self) -> int:
        """What the sender has lost besides the coins that have arrived, in nanotons.

        It is not below zero: what a stranger's jetton wallet gives away on top is a gift.
        """
        steps = [self.root, *self._steps.values()]
        changed = sum(
            change(step.transaction)
            for step in steps
            if account_of(step.transaction) == self.sender
        )
        paid = sum(
            message.value
            for message in self._heads()
            if not _is_jettons(message) and self._arrived(message)
        )
        return max(0, -changed - paid)

    async def follow(self, scanner: Scanner, *, through: int) -> None:
        """Look for what comes next, up to a masterchain block.

        Raises:
            ChainUnavailable: no server answered.
        """
        last = min(through, self._next_block + BLOCKS_AT_ONCE - 1)
        while self._waiting and self._next_block <= last:
            self._take(await scanner.arrivals(self._next_block), self._next_block)
            self._next_block += 1

    def _take(self, arrivals: Mapping[MessageName, Transaction], block: int) -> None:
        while here := self._waiting & arrivals.keys():
            for name in here:
                transaction = arrivals[name]
                self._waiting.remove(name)
                self._steps[name] = Step(transaction, block)
                self._waiting.update(self._children(transaction))

    def _children(self, transaction: Transaction) -> Iterator[MessageName]:
        """Yield the messages whose fate matters."""
        account, cause = account_of(transaction), taken_in(transaction)
        sends = account == self.sender and (cause is None or cause.source == account)
        if sends:
            jettons = filter(_is_jettons, sent_out(transaction))
            self._jetton_wallets.update(message.target for message in jettons)
        elif account == self.sender:
            return
        all_matter = sends or account in self._jetton_wallets
        for message in sent_out(transaction):
            returns = message.target == self.sender and is_excess(message)
            if all_matter or message.bounced or returns:
                yield message.name

    def _heads(self) -> Sequence[Message]:
        """Return the messages that the instruction was about, in its order."""
        sent = sent_out(self.root.transaction)
        if [message.target for message in sent] != [self.sender]:
            return sent
        inner = self._steps.get(sent[0].name)
        return [] if inner is None else sent_out(inner.transaction)

    def _arrived(self, message: Message) -> bool:
        step = self._steps.get(message.name)
        if step is None:
            return False
        if not _is_jettons(message):
            return not went_back(step.transaction)
        further = [
            self._steps.get(each.name)
            for each in sent_out(step.transaction)
            if InternalTransfer.parse(each.body) is not None
        ]
        return any(each and not aborted(each.transaction) for each in further)


def _is_jettons(message: Message) -> bool:
    return JettonTransfer.parse(message.body) is not None
