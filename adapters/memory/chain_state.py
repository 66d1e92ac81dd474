"""What an in-memory chain holds: balances now and after each block, and the facts of a block."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from adapters.memory.tables import Journal, Table
from domain.chains.model import Transfer, WalletCharged

if TYPE_CHECKING:
    from collections.abc import Collection

    from domain.chains.model import Fact
    from domain.shared.money import AssetId, Money

FAUCET = "0x" + "0" * 40
"""Where new money comes from. It alone may owe: so all balances of an asset sum to zero."""

NETWORK = "0x" + "f" * 40
"""Who is paid the network's fees."""


@attrs.frozen
class Nature:
    """What kind of chain it is; unless told otherwise, one like Ethereum."""

    batch_max: int = 1
    """How many payouts come into one transaction of the gateway's."""
    releases_max: int = 50
    """How many escrows are released by one."""
    sweeps_max: int = 0
    """How many deposit addresses are swept by one; 0 where each has to send its own."""
    valid_for: timedelta | None = None
    """How long signed bytes may come into a block, the hot wallet's in any order; None: for ever,
    and in their order alone."""
    shows_coins: bool = False
    """True where the native coin's moves are logged, as tokens' are."""
    travels: int = 0
    """How many blocks later what a transaction sets off has arrived."""


class Reverted(Exception):
    """The chain refuses a transaction; nothing of it took effect but its fee."""


class ChainState:
    """Balances, undone block by block when the chain is."""

    def __init__(
        self, *, native: AssetId, assets: Collection[AssetId], nature: Nature | None = None
    ) -> None:
        self.native = native
        self.nature = nature or Nature()
        self.journal = Journal()
        self.number = 0
        """The block that is being made."""
        self.facts: list[Fact] = []
        """What the transaction under way has logged."""
        self.rejecting: set[str] = set()
        """Addresses that refuse what is pushed to them by the escrow contract."""
        self.blocked: set[str] = set()
        """Addresses from which no token moves: their issuers do not want that."""
        self._assets = frozenset(assets)
        self._history: Table[tuple[str, AssetId], tuple[tuple[int, int], ...]] = Table(
            self.journal
        )

    def balance(self, address: str, asset: AssetId, *, at_block: int | None = None) -> int:
        """Return what an address holds, now or after a block, in the smallest unit."""
        for number, amount in reversed(self._history.get((address, asset)) or ()):
            if at_block is None or number <= at_block:
                return amount
        return 0

    def total(self, asset: AssetId) -> int:
        """Return the sum of all balances of an asset, the faucet's too: zero, always."""
        return sum(history[-1][1] for (_, held), history in self._history.items() if held == asset)

    def move(self, source: str, target: str, money: Money, *, memo: str | None = None) -> None:
        """Move money and log it, as tokens of interest do and the native coin, mostly, does not.

        Raises:
            Reverted: the source does not hold so much, or its tokens are blocked.
        """
        if source in self.blocked and money.asset != self.native:
            raise Reverted("blocked")
        if source != FAUCET and self.balance(source, money.asset) < money.amount:
            raise Reverted("balance too low")
        self._change(source, money.asset, -money.amount)
        self._change(target, money.asset, money.amount)
        if money.asset in self._assets and (money.asset != self.native or self.nature.shows_coins):
            self.facts.append(Transfer(money, source, target, memo))

    def push(self, source: str, target: str, money: Money) -> bool:
        """Move money unless there is none or its receiver rejects it; tell whether it moved."""
        if not money or target in self.rejecting:
            return not money
        self.move(source, target, money)
        return True

    def charge(self, sender: str, cost: Money) -> None:
        """Pay the network."""
        self._change(sender, cost.asset, -cost.amount)
        self._change(NETWORK, cost.asset, cost.amount)

    def take_rent(self, holder: str, cost: Money, *, of: str | None = None) -> None:
        """Pay the network for nothing that the holder has done, and log it.

        The log names the deposit address that it is ``of``, and the hot wallet by no name.
        """
        self.charge(holder, cost)
        self.facts.append(WalletCharged(cost, of))

    def _change(self, address: str, asset: AssetId, change: int) -> None:
        history = self._history.get((address, asset)) or ()
        amount = (history[-1][1] if history else 0) + change
        if history and history[-1][0] == self.number:
            history = history[:-1]
        self._history.put((address, asset), (*history, (self.number, amount)))
