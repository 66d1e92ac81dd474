"""The way to a chain: a balancer over nodes that lag, lie, are slow, or do not answer.

The chain itself is never wrong. What a call is told depends on the node it happens to reach: one
that knows all, one that is some blocks behind, one on a fork that everybody else has left, or one
that answers with nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from adapters.memory.blocks import MinedBlock
from domain.chains.instructions import RefundEscrow, ReleaseEscrow, SendMoney
from domain.chains.model import EscrowPaid, Head, Scan
from ports.chain import ChainUnavailable, InstructionRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from adapters.memory.chain import InMemoryChain
    from config.simulation.process import Process
    from domain.chains.instructions import Instruction
    from domain.chains.model import Block
    from domain.chains.submissions import Inclusion, SignedBytes
    from domain.shared.money import AssetId, ChainId, Money
    from ports.chain import Ours, Prepared

FINAL_AFTER = 4
"""How many blocks on top make a block final, on the simulated chain that is like Ethereum."""


@attrs.frozen
class Fault:
    """Something that is wrong with the nodes for a while."""

    kind: str
    """``down``, ``slow``, ``lagging``, ``empty``, ``short``, ``forked``, or ``unindexed``: without
    what tells in which blocks transactions are."""
    until: datetime
    share: int
    """How many of a hundred calls meet it."""
    blocks: int = 0
    """How far a lagging node is behind."""
    fork: tuple[MinedBlock, ...] = ()
    """What a forked node takes for the chain."""


class Network:
    """What is wrong with the nodes of one chain at the moment."""

    def __init__(
        self, chain: InMemoryChain, *, random: Random, final_after: int = FINAL_AFTER
    ) -> None:
        self.chain = chain
        self.final_after = final_after
        self.faults: list[Fault] = []
        self.lost_answers = 0
        """How many broadcasts are still to be taken without an answer."""
        self.met = 0
        """How many calls have met a fault."""
        self.forks_seen = 0
        """How many calls were answered from a fork that had been left."""
        self._random = random

    def pick(self, now: datetime) -> Fault | None:
        """Return what is wrong with the node that the next call reaches."""
        if not self.faults:
            return None
        self.faults = [fault for fault in self.faults if now < fault.until]
        for fault in self.faults:
            if self._random.randrange(100) < fault.share:
                self.met += 1
                self.forks_seen += fault.kind == "forked"
                return fault
        return None

    def heal(self) -> None:
        """Have all nodes tell the truth from now on."""
        self.faults.clear()
        self.lost_answers = 0


class Line:
    """One process's line to the nodes: its ``ChainReader`` and its ``ChainSender``."""

    def __init__(self, network: Network, process: Process) -> None:
        self.chain: ChainId = network.chain.chain
        self.sender: str = network.chain.sender
        self.batch_max: int = network.chain.batch_max
        self.releases_max: int = network.chain.releases_max
        self.sweeps_max: int = network.chain.sweeps_max
        self._network = network
        self._chain = network.chain
        self._process = process

    async def head(self) -> Head:
        """Return how far the chain has come, as the node knows it."""
        fault = await self._reach()
        head = await self._chain.head()
        mined = self._blocks(fault)
        if mined is not None:
            latest = len(mined) - 1
            final = min(head.final, max(latest - self._network.final_after, 0))
            head = Head(latest, max(latest - 2, final), final, mined[final].block.hash)
        await self._process.stop()
        return head

    async def block(self, number: int) -> Block | None:
        """Return a block, as the node knows it."""
        fault = await self._reach()
        mined = self._blocks(fault)
        if fault is not None and fault.kind == "empty":
            found = None
        elif mined is not None:
            found = mined[number].block if 0 <= number < len(mined) else None
        else:
            found = await self._chain.block(number)
        await self._process.stop()
        return found

    async def agreed(self, block: Block, *, providers: int) -> bool:
        """Tell whether providers have this very block; a node that does not knows nothing."""
        fault = await self._reach()
        mined = self._blocks(fault)
        if mined is not None and block not in {it.block for it in mined}:
            return False
        agreed = await self._chain.agreed(block, providers=providers)
        await self._process.stop()
        return agreed

    async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
        """Return a range of blocks and what is in them, as the node knows it."""
        fault = await self._reach()
        mined = self._blocks(fault)
        if fault is not None and fault.kind == "short":
            last = min(last, first + 1)
        if mined is None:
            scan = await self._chain.scan(first=first, last=last, ours=ours)
        else:
            shown = mined[first : last + 1]
            if not shown:
                raise ChainUnavailable("no node has these blocks")
            facts = tuple(it for block in shown for it in block.observations)
            scan = Scan(tuple(it.block for it in shown), facts)
        await self._process.stop()
        return scan

    async def inclusions(self, hashes: Sequence[str]) -> Sequence[Inclusion]:
        """Return where transactions are, as the node knows it."""
        fault = await self._reach()
        mined = self._blocks(fault)
        found: Sequence[Inclusion]
        if fault is not None and fault.kind in {"empty", "unindexed"}:
            found = []
        elif mined is None:
            found = await self._chain.inclusions(hashes)
        else:
            wanted = set(hashes)
            found = [
                self._chain.blocks.followed(it, latest=len(mined) - 1)
                for block in mined
                for it in block.inclusions
                if it.hash in wanted
            ]
        await self._process.stop()
        return found

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        """Tell whether bytes are in no block up to one that the node has."""
        fault = await self._reach()
        mined = self._blocks(fault)
        if mined is not None and through not in {it.block for it in mined}:
            raise ChainUnavailable(f"no node has block {through.number}")
        absent = await self._chain.is_absent(signed, through=through)
        await self._process.stop()
        return absent

    async def balance(self, address: str, asset: AssetId, *, at_block: int) -> Money:
        """Return a balance after a block; a node that does not have the block refuses."""
        fault = await self._reach()
        mined = self._blocks(fault)
        if mined is not None and at_block >= len(mined):
            raise ChainUnavailable(f"no node has block {at_block}")
        return await self._chain.balance(address, asset, at_block=at_block)

    async def balances(
        self, addresses: Sequence[str], asset: AssetId, *, at_block: int
    ) -> Sequence[Money]:
        """Return balances after a block; a node that does not have the block refuses."""
        fault = await self._reach()
        mined = self._blocks(fault)
        if mined is not None and at_block >= len(mined):
            raise ChainUnavailable(f"no node has block {at_block}")
        return await self._chain.balances(addresses, asset, at_block=at_block)

    async def next_sequence(self, sender: str) -> int:
        """Return a sender's count, as the node knows it: without what it has not seen yet."""
        fault = await self._reach()
        mined = self._blocks(fault)
        count = await self._chain.next_sequence(sender)
        if mined is not None:
            count = sum(it.sender == sender for at in mined for it in at.transactions)
        await self._process.stop()
        return count

    async def fee_limit(self, instruction: Instruction) -> Money:
        """Return the most the network would take for an instruction now."""
        await self._reach()
        limit = await self._chain.fee_limit(instruction)
        await self._process.stop()
        return limit

    async def prepare(self, instruction: Instruction) -> Prepared:
        """Try an instruction out, on what the node knows of the chain."""
        fault = await self._reach()
        mined = self._blocks(fault)
        if (
            isinstance(instruction, SendMoney)
            and instruction.target in self._chain.state.rejecting
        ):
            raise InstructionRefused("its receiver turns it away")
        if mined is not None and isinstance(instruction, ReleaseEscrow | RefundEscrow):
            paid = any(
                isinstance(it.fact, EscrowPaid)
                and it.fact.reference == instruction.terms.reference
                for block in mined
                for it in block.observations
            )
            if not paid:
                raise InstructionRefused("not held")
        prepared = await self._chain.prepare(instruction)
        await self._process.stop()
        return prepared

    async def sign(self, prepared: Prepared, *, sequence: int) -> SignedBytes:
        """Sign, without the network."""
        self._process.step()
        signed = await self._chain.sign(prepared, sequence=sequence)
        self._process.step()
        return signed

    async def replace(
        self, instruction: Instruction, *, attempts: Sequence[SignedBytes], waited: int
    ) -> Prepared | None:
        """Return what to sign instead of what offers too little."""
        better = await self._chain.replace(instruction, attempts=attempts, waited=waited)
        if better is not None:
            await self._reach()
        return better

    async def cancel(self, *, attempts: Sequence[SignedBytes]) -> Prepared | None:
        """Return what to sign so that nothing that was signed takes effect."""
        await self._reach()
        return await self._chain.cancel(attempts=attempts)

    async def broadcast(self, signed: SignedBytes) -> None:
        """Hand signed bytes over; the answer may be lost."""
        await self._reach()
        await self._chain.broadcast(signed)
        await self._process.stop()
        if self._network.lost_answers:
            self._network.lost_answers -= 1
            raise ChainUnavailable("no answer, though the bytes were taken")

    async def _reach(self) -> Fault | None:
        """Come to some node; return what is wrong with it."""
        await self._process.stop()
        fault = self._network.pick(self._process.turns.clock.now())
        if fault is None:
            return None
        if fault.kind == "down":
            raise ChainUnavailable("no node answered")
        if fault.kind == "slow":
            await self._process.sleep(timedelta(seconds=9))
            return None
        return fault

    def _blocks(self, fault: Fault | None) -> Sequence[MinedBlock] | None:
        """Return the blocks that a node has, or None where it has them all."""
        if fault is None or fault.kind in {"empty", "short", "unindexed"}:
            return None
        if fault.kind == "forked":
            return fault.fork
        mined = self._chain.blocks.mined
        return mined[: max(len(mined) - fault.blocks, 1)]
