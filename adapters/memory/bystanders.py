"""What others do on an in-memory chain: payers, merchants, the arbiter, anybody."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from adapters.memory.blocks import PendingTransaction
from adapters.memory.chain_state import FAUCET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.memory.blocks import Blocks
    from adapters.memory.chain_state import ChainState
    from adapters.memory.escrow_machine import EscrowMachine
    from domain.escrow.model import EscrowTerms
    from domain.shared.money import AssetId, Money

Effect: TypeAlias = Callable[[datetime], Collection[int] | None]
"""What a transaction does in a block of a time."""


class Bystanders:
    """The verbs of others. Each returns the hash of the transaction that does it.

    A transaction waits until it is mined; one that the contract does not allow then is reverted
    and has no effect.
    """

    def __init__(self, *, state: ChainState, escrow: EscrowMachine, blocks: Blocks) -> None:
        self.state = state
        self.escrow = escrow
        self.blocks = blocks
        self._names = itertools.count()

    def fund(self, address: str, money: Money) -> str:
        """Give new money to an address."""
        return self.transfer(money, source=FAUCET, target=address)

    def transfer(self, money: Money, *, source: str, target: str, memo: str | None = None) -> str:
        """Pay somebody, with a word to it."""
        return self._submit(lambda _: self.state.move(source, target, money, memo=memo))

    def transfer_all(self, shares: Sequence[tuple[Money, str]], *, source: str) -> str:
        """Pay several, or somebody several times, by one transaction."""

        def move(_: datetime) -> None:
            for money, target in shares:
                self.state.move(source, target, money)

        return self._submit(move)

    def pay_escrow(self, terms: EscrowTerms, *, payer: str) -> str:
        """Pay into the escrow contract."""
        return self._submit(lambda at: self.escrow.pay(terms, by=payer, at=at))

    def release(self, terms: EscrowTerms, *, by: str) -> str:
        """Release to the merchant."""
        return self._submit(lambda at: self.escrow.release(terms, by=by, at=at))

    def refund(self, terms: EscrowTerms, *, by: str) -> str:
        """Pay the payer back, as the merchant."""
        return self._submit(lambda _: self.escrow.refund(terms, by=by))

    def reclaim(self, terms: EscrowTerms, *, by: str) -> str:
        """Take the money back, as the payer, after the refund window."""
        return self._submit(lambda at: self.escrow.reclaim(terms, by=by, at=at))

    def dispute(self, terms: EscrowTerms, *, by: str) -> str:
        """Object."""
        return self._submit(lambda at: self.escrow.dispute(terms, by=by, at=at))

    def resolve(self, terms: EscrowTerms, *, payer_amount: int) -> str:
        """Decide a dispute, as the arbiter."""
        by = self.escrow.arbiter
        return self._submit(lambda _: self.escrow.resolve(terms, payer_amount=payer_amount, by=by))

    def claim_unresolved(self, terms: EscrowTerms) -> str:
        """Send the money of a dispute that was never decided back."""
        return self._submit(lambda at: self.escrow.claim_unresolved(terms, at=at))

    def withdraw(self, asset: AssetId, *, by: str, to: str) -> str:
        """Take a credit out of the escrow contract."""
        return self._submit(lambda _: self.escrow.withdraw(asset, by=by, to=to))

    def reject_pushes_to(self, address: str) -> None:
        """Have an address refuse what the escrow contract pushes: it becomes a credit."""
        self.state.rejecting.add(address)

    def _submit(self, effect: Effect) -> str:
        name = f"others/{next(self._names)}"
        hash = "0x" + hashlib.sha256(name.encode()).hexdigest()
        self.blocks.pool.append(PendingTransaction(hash=hash, effect=effect))
        return hash
