"""What money comes in by: a chain like Ethereum, one like TON, Stars, addresses that stay."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from adapters.memory.blocks import PendingTransaction
from adapters.memory.chain import InMemoryChain
from adapters.memory.chain_state import Nature
from config.simulation.network import Network
from domain.chains.places import Places
from domain.intents.model import Method
from domain.shared.money import AssetId, ChainId, Money

if TYPE_CHECKING:
    from random import Random

    from ports.clock import Clock
    from ports.deposit_addresses import DepositAddresses
    from ports.escrow_contract import EscrowContracts

RAILS = ("evm", "ton", "stars", "customers")
"""The names of the rails, as the command line has them; customers pay on the others' chains."""

TON = ChainId("ton:simulated")
TON_TOKEN = AssetId(f"{TON}/jetton:usdt")
TON_OTHER = AssetId(f"{TON}/jetton:other")
TON_COIN = AssetId(f"{TON}/slip44:607")
TON_HOT = "0:" + "1" * 64
TON_STRANGER = "0:" + "5" * 64

BATCH_MAX = 8
"""How many payouts of the second chain share a message; a real one takes more."""
VALID_FOR = timedelta(minutes=45)
"""How long a message may come into a block: for two or three blocks, as slow as they are here."""
TRAVELS = 1
"""How many blocks later all that a message sets off has arrived."""
TON_PACE = timedelta(minutes=15)
"""How often the second chain is read and sent to."""


@attrs.define(eq=False)
class Rail:
    """A chain, the way to it, and where the gateway's money lies there."""

    places: Places
    chain: InMemoryChain
    network: Network
    token: AssetId
    other: AssetId
    block_minutes: tuple[int, int]
    """How long a block takes, at least and at most."""
    refills: list[tuple[str, int]] = attrs.field(factory=list)
    """What was put into the gas tank: by which transaction, and how much."""
    waited: dict[str, PendingTransaction] = attrs.field(factory=dict)
    """What of the gateway's own a block has passed over, by its hash."""
    full_until: datetime | None = None
    """Until when no block takes anything of the gateway's in."""

    @property
    def final(self) -> int:
        """The number of the last block that is final."""
        return self.chain.blocks.latest - self.network.final_after

    def mine(self, *, now: datetime) -> None:
        """Make a block; what it does not take in goes on waiting."""
        blocks, full_until = self.chain.blocks, self.full_until
        kept: list[PendingTransaction] = []
        if full_until is not None and now < full_until:
            kept = [it for it in blocks.pool if it.sender == self.chain.sender]
            blocks.pool = [it for it in blocks.pool if it.sender != self.chain.sender]
        self.chain.mine()
        blocks.pool += kept
        self.waited.update((it.hash, it) for it in blocks.pool if it.sender is not None)

    def fill_tank(self, amount: int) -> None:
        """Put native coin into the hot wallet, smallest unit. It is not in the books by that."""
        money = Money(amount, self.places.native)
        self.refills.append((self.chain.fund(self.places.hot_wallet, money), amount))

    def refilled(self, *, at_block: int) -> int:
        """Return what had been put into the hot wallet by a block, smallest unit."""
        blocks = self.chain.blocks
        numbers = ((blocks.number_of(hash), amount) for hash, amount in self.refills)
        return sum(
            amount for number, amount in numbers if number is not None and number <= at_block
        )


@attrs.frozen
class TonAddresses:
    """The deposit wallets of customers on the second chain: hashes of their places."""

    def derive(self, index: int) -> str:
        """Return the wallet at a place."""
        return "0:" + hashlib.sha256(f"wallet {index}".encode()).hexdigest()


def like_ton(
    *,
    clock: Clock,
    contracts: EscrowContracts,
    random: Random,
    addresses: DepositAddresses | None,
) -> Rail:
    """Return a chain with memos, shown coins, batches, and messages that expire.

    What is in a block is final. There is no escrow contract. Where there are ``addresses``, it
    has some of customers.
    """
    places = Places(
        chain=TON,
        native=TON_COIN,
        escrow_contract=None,
        hot_wallet=TON_HOT,
        treasury=None,
        first_block=1,
        methods=frozenset({Method.MEMO, Method.ADDRESS} if addresses else {Method.MEMO}),
        shows_coins=True,
    )
    chain = InMemoryChain(
        chain=TON,
        clock=clock,
        contracts=contracts,
        native=TON_COIN,
        assets=[TON_TOKEN, TON_OTHER, TON_COIN],
        contract=None,
        sender=TON_HOT,
        arbiter="nobody",
        treasury=None,
        deposits=addresses,
        safe_after=0,
        final_after=0,
        nature=Nature(batch_max=BATCH_MAX, valid_for=VALID_FOR, shows_coins=True, travels=TRAVELS),
    )
    network = Network(chain, random=random, final_after=0)
    return Rail(places, chain, network, TON_TOKEN, TON_OTHER, block_minutes=(8, 26))
