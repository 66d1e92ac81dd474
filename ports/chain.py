"""A chain: reading what happened on it, and sending transactions of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.instructions import Instruction
    from domain.chains.model import Block, Head, Scan
    from domain.chains.submissions import Inclusion, SignedBytes
    from domain.shared.money import AssetId, ChainId, Money


Ours: TypeAlias = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Tells which of some addresses the gateway watches, at the moment it is asked."""


class ChainUnavailable(Exception):
    """No node answered, or none gave a usable answer. The outcome is unknown; try again."""


class InstructionRefused(Exception):
    """A trial run on the chain failed: the instruction cannot be carried out as things stand."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InsufficientFundsOnChain(Exception):
    """The sender does not hold enough for now. Try again later."""

    def __init__(self, asset: AssetId) -> None:
        super().__init__(asset)
        self.asset = asset


class ChainReader(Protocol):
    """Reads one chain. It knows which assets and contracts are of interest."""

    chain: ChainId

    async def head(self) -> Head:
        """Return how far the chain has come.

        Raises:
            ChainUnavailable: no node answered.
        """
        ...

    async def block(self, number: int) -> Block | None:
        """Return the block that has this number now, or None if there is none yet.

        Raises:
            ChainUnavailable: no node answered.
        """
        ...

    async def agreed(self, block: Block, *, providers: int) -> bool:
        """Tell whether so many providers of the chain have this very block under its number.

        False where too few of them have one, or answer: there may be more in a while.

        Raises:
            ChainUnavailable: no node answered, or one has another block there: of two names
                nobody can tell which will stay.
        """
        ...

    async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
        """Return a range of blocks, both ends included, and the facts found in them.

        Transfers to addresses that are not ours may be left out, where it can be told: ``ours`` is
        asked only when all blocks of the range have been read, never before. An address is stored
        before anybody can pay to it, so who is paid in a block that was read is known by then.

        The range may be cut short at its end; it is never returned with a hole, and every fact
        is of a block that is returned. What the hot wallet sends to itself to carry out a batch,
        and what comes back of a payout of ours, is no transfer: its inclusion tells of it.

        Raises:
            ChainUnavailable: no node answered, or its answers do not fit together.
        """
        ...

    async def inclusions(self, hashes: Sequence[str]) -> Sequence[Inclusion]:
        """Return where transactions were included; one that is in no block is left out.

        One that has landed and is not at its end is told as well, as not settled.

        Raises:
            ChainUnavailable: no node answered.
        """
        ...

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        """Tell whether bytes of ours are in no block up to one named, nor can be in a later one.

        Asked only of bytes that have a last moment, once a final block is later than that: a yes
        is the proof by which others may be signed. So it is told by a node that has this very
        block; False also means that nobody can tell, or not yet.

        Raises:
            ChainUnavailable: no node that has the block answered.
        """
        ...

    async def balance(self, address: str, asset: AssetId, *, at_block: int) -> Money:
        """Return what an address held of an asset after a block.

        Raises:
            ChainUnavailable: no node answered.
        """
        ...

    async def balances(
        self, addresses: Sequence[str], asset: AssetId, *, at_block: int
    ) -> Sequence[Money]:
        """Return what each of many addresses held of an asset after a block, in their order.

        Raises:
            ChainUnavailable: no node answered.
        """
        ...


class Prepared(Protocol):
    """An instruction made ready to be signed: with fees and limits, without a sequence."""

    @property
    def sender(self) -> str:
        """The address that sends it and pays its fee: the hot wallet's, or a deposit address."""
        ...

    @property
    def fee_limit(self) -> Money:
        """The most the network can take for it."""
        ...


class ChainSender(Protocol):
    """Sends the gateway's transactions on one chain: the hot wallet's and deposit addresses'."""

    chain: ChainId
    sender: str
    """The hot wallet's address."""
    batch_max: int
    """How many payouts it takes into one transaction (``SendMany``), at least 1."""
    releases_max: int
    """How many escrows it releases by one transaction (``ReleaseMany``), at least 1."""
    sweeps_max: int
    """How many deposit addresses it sweeps by one transaction of the hot wallet's (``SweepMany``);
    0 where each has to send its own."""

    async def next_sequence(self, sender: str) -> int:
        """Return the lowest number that a sender's next transaction may have, by the chain.

        Those that wait are counted. A chain that takes numbers in any order says 0.

        Raises:
            ChainUnavailable: no node answered.
        """
        ...

    async def fee_limit(self, instruction: Instruction) -> Money:
        """Return the most the network would take for an instruction now, whoever can pay it.

        Raises:
            InstructionRefused: the chain would not carry it out.
            ChainUnavailable: no node answered.
        """
        ...

    async def prepare(self, instruction: Instruction) -> Prepared:
        """Try an instruction out and find its fees, without sending anything.

        Raises:
            InstructionRefused: the chain would not carry it out.
            InsufficientFundsOnChain: its sender does not hold enough.
            ChainUnavailable: no node answered.
        """
        ...

    async def sign(self, prepared: Prepared, *, sequence: int) -> SignedBytes:
        """Sign, without the network. The same arguments give the same bytes.

        On a chain whose messages have a last moment it is fixed here, from when it was prepared.

        Raises:
            InstructionRefused: the signer has looked at it and will not sign it.
        """
        ...

    async def replace(
        self, instruction: Instruction, *, attempts: Sequence[SignedBytes], waited: int
    ) -> Prepared | None:
        """Return what to sign besides, with the same number, as what was signed offers too little.

        It does the same as the newest of ``attempts``, which are an instruction's, oldest first,
        and has waited for so many blocks without coming into one. None where there is no need,
        where nothing better can be offered, and on chains that do not take such bytes.

        Raises:
            ChainUnavailable: no node answered.
        """
        ...

    async def cancel(self, *, attempts: Sequence[SignedBytes]) -> Prepared | None:
        """Return what to sign with the number of ``attempts`` so that none of them takes effect.

        It does nothing. None where it is too late, and where the chain or the sender's key is not
        made for that.

        Raises:
            ChainUnavailable: no node answered.
        """
        ...

    async def broadcast(self, signed: SignedBytes) -> None:
        """Hand signed bytes to the network. Handing them over again is no error.

        Raises:
            ChainUnavailable: no node answered or none took them; whether one has is unknown.
        """
        ...
