"""A chain in memory, to be read and sent to, with verbs for all that can go wrong on one.

Others act on it by verbs named after what they do (``transfer``, ``pay_escrow``, ``dispute``);
what they and the gateway send waits until ``mine`` puts it into a block. ``reorg`` replaces
blocks, ``lag`` hides the newest, ``fail_next`` and ``time_out_after_accepting`` are the network's
faults. The native coin moves without a trace in the log, as on EVM chains; a ``Nature`` makes it a
chain of another kind, with memos, batches, and messages that expire.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from adapters.memory.blocks import Blocks, PendingTransaction
from adapters.memory.chain_state import ChainState
from adapters.memory.escrow_machine import EscrowMachine
from adapters.memory.gateway import Gateway
from adapters.memory.offers import COST, Offers, PreparedInstruction, sent_by
from adapters.memory.strangers import without_strangers
from adapters.memory.witnesses import Witnesses
from domain.chains.model import Head, Scan
from domain.chains.submissions import SignedBytes
from domain.shared.money import Money
from ports.chain import ChainUnavailable, InsufficientFundsOnChain

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from adapters.memory.chain_state import Nature
    from domain.chains.instructions import Instruction
    from domain.chains.model import Block
    from domain.chains.submissions import Inclusion
    from domain.shared.money import AssetId, ChainId
    from ports.chain import Ours, Prepared
    from ports.clock import Clock
    from ports.deposit_addresses import DepositAddresses
    from ports.escrow_contract import EscrowContracts

SCAN_MAX = 100
"""The most blocks of one scan; more are cut off."""


class InMemoryChain(Gateway):
    """One chain: the ``ChainReader``, the ``ChainSender``, and the world they look at.

    ``sender`` is the gateway's hot wallet and the contract's operator; ``deposits`` are the
    addresses that it can sign for besides. A block is final ``final_after`` blocks later, and
    what was final once stays so by the chain's word.
    """

    def __init__(
        self,
        *,
        chain: ChainId,
        clock: Clock,
        contracts: EscrowContracts,
        native: AssetId,
        assets: Collection[AssetId],
        contract: str | None,
        sender: str,
        arbiter: str,
        treasury: str | None,
        deposits: DepositAddresses | None = None,
        safe_after: int = 2,
        final_after: int = 4,
        nature: Nature | None = None,
    ) -> None:
        self.chain = chain
        state = ChainState(native=native, assets=assets, nature=nature)
        super().__init__(
            state=state,
            escrow=EscrowMachine(
                state,
                contracts=contracts,
                address=contract or "nowhere",
                operator=sender,
                arbiter=arbiter,
                treasury=treasury or "nobody",
            ),
            blocks=Blocks(chain=chain, clock=clock, state=state),
            sender=sender,
            has_contract=contract is not None,
            deposits=deposits,
        )
        self.witnesses = Witnesses()
        self._clock = clock
        self._safe_after = safe_after
        self._final_after = final_after
        self._final = 0
        self._hidden = 0
        self._faults = 0
        self._accepts_and_times_out = False
        self._signed: dict[str, PendingTransaction] = {}
        self._offers = Offers(self.blocks, native=native, signed=self._signed)

    # What the gateway reads.

    async def head(self) -> Head:
        """Return how far the chain has come, by what its nodes show."""
        self._answer()
        latest = self._latest
        self._final = max(self._final, latest - self._final_after)
        safe = max(latest - self._safe_after, self._final)
        return Head(latest, safe, self._final, self.blocks.mined[self._final].block.hash)

    async def block(self, number: int) -> Block | None:
        """Return the block that has this number now, or None if there is none yet."""
        self._answer()
        return self.blocks.mined[number].block if 0 <= number <= self._latest else None

    async def agreed(self, block: Block, *, providers: int) -> bool:
        """Tell whether so many providers have this very block under its number."""
        there = await self.block(block.number)
        return self.witnesses.agree(block, there, providers=providers, latest=self._latest)

    async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
        """Return a range of blocks and the facts found in them, 100 blocks at most."""
        self._answer()
        shown = self.blocks.mined[first : min(last, self._latest, first + SCAN_MAX - 1) + 1]
        found = [seen for it in shown for seen in it.observations]
        observations = await without_strangers(found, ours)
        return Scan(tuple(it.block for it in shown), tuple(observations))

    async def inclusions(self, hashes: Sequence[str]) -> Sequence[Inclusion]:
        """Return where transactions were included; one that is in no block is left out."""
        self._answer()
        places = [self.blocks.number_of(hash) for hash in hashes]
        numbers = sorted({it for it in places if it is not None and it <= self._latest})
        shown = [self.blocks.mined[number] for number in numbers]
        found = [it for mined in shown for it in mined.inclusions if it.hash in hashes]
        return [self.blocks.followed(it, latest=self._latest) for it in found]

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        """Tell whether bytes of ours are in no block up to one named, that one included."""
        self._answer()
        number = through.number
        if number > self._latest or self.blocks.mined[number].block != through:
            raise ChainUnavailable(f"no node has block {through.hash}")
        place = self.blocks.number_of(signed.hash)
        return place is None or place > number

    async def balance(self, address: str, asset: AssetId, *, at_block: int) -> Money:
        """Return what an address held of an asset after a block."""
        self._answer()
        if not 0 <= at_block <= self._latest:
            raise ChainUnavailable(f"no node has block {at_block}")
        return Money(self.state.balance(address, asset, at_block=at_block), asset)

    async def balances(
        self, addresses: Sequence[str], asset: AssetId, *, at_block: int
    ) -> Sequence[Money]:
        """Return what each of many addresses held of an asset after a block."""
        return [await self.balance(address, asset, at_block=at_block) for address in addresses]

    # What the gateway sends.

    async def next_sequence(self, sender: str) -> int:
        """Return the chain's own count of a sender's transactions, those waiting included."""
        self._answer()
        if not self._is_gapless(sender):
            return 0
        count = self.blocks.sequence(sender)
        waiting = {it.sequence for it in self.blocks.pool if it.sender == sender}
        while count in waiting:
            count += 1
        return count

    async def fee_limit(self, instruction: Instruction) -> Money:
        """Return the most the network would take for an instruction now."""
        self._answer()
        self._try_out(instruction)
        return Money(2 * COST, self.state.native)

    async def prepare(self, instruction: Instruction) -> Prepared:
        """Try an instruction out and find its fees, without sending anything."""
        self._answer()
        sender = self._sender_of(instruction)
        fee_limit = Money(2 * COST, self.state.native)
        self._must_hold(sender, fee_limit)
        for asset, amount in sent_by(instruction).items():
            money = Money(amount, asset)
            also = money + fee_limit if money.asset == fee_limit.asset else money
            self._must_hold(sender, also)
        self._try_out(instruction)
        valid_for = self.state.nature.valid_for
        valid_until = None if valid_for is None else self._clock.now() + valid_for
        return PreparedInstruction(
            instruction, fee_limit, sender, valid_until, offer=self.blocks.asked
        )

    async def sign(self, prepared: Prepared, *, sequence: int) -> SignedBytes:
        """Sign, without the network. The same arguments give the same bytes."""
        if not isinstance(prepared, PreparedInstruction):
            raise TypeError(prepared)
        until = f" until {prepared.valid_until}" if prepared.valid_until else ""
        offer = f" for {prepared.offer}" if prepared.offer else ""
        offer += ", canceled" if prepared.cancels else ""
        raw = f"{(self.chain, sequence, prepared)!r}{until}{offer}".encode()
        hash = "0x" + hashlib.sha256(raw).hexdigest()
        self._signed[hash] = PendingTransaction(
            hash=hash,
            effect=(lambda _: None) if prepared.cancels else self._effect(prepared.instruction),
            sender=prepared.sender,
            sequence=sequence,
            cost=COST,
            valid_until=prepared.valid_until,
            gapless=self._is_gapless(prepared.sender),
            offer=prepared.offer,
        )
        return SignedBytes(
            hash=hash,
            raw=raw,
            sender=prepared.sender,
            sequence=sequence,
            valid_until=prepared.valid_until,
            gapless=self._is_gapless(prepared.sender),
            cancels=prepared.cancels,
        )

    async def replace(
        self, instruction: Instruction, *, attempts: Sequence[SignedBytes], waited: int
    ) -> Prepared | None:
        """Return the same for what the network asks now, if the newest of these offers less."""
        better = self._offers.better(instruction, attempts, waited=waited)
        if better is not None:
            self._answer()
        return better

    async def cancel(self, *, attempts: Sequence[SignedBytes]) -> Prepared | None:
        """Return what does nothing and offers more, where numbers exclude each other for ever."""
        self._answer()
        return self._offers.nothing(attempts) if attempts[-1].sender == self.sender else None

    async def broadcast(self, signed: SignedBytes) -> None:
        """Hand signed bytes to the network. Handing them over again is no error."""
        self._answer()
        if not self.blocks.knows(signed.hash):
            if signed.lapsed(at=self._clock.now()):
                raise ChainUnavailable("no node takes what no block will")
            if not self.blocks.take(self._signed[signed.hash]):
                raise ChainUnavailable("no node takes another transaction of that sequence")
        if self._accepts_and_times_out:
            self._accepts_and_times_out = False
            raise ChainUnavailable("no answer, though the bytes were taken")

    # What the chain and the network do.

    def mine(self, blocks: int = 1) -> None:
        """Make blocks; what waits comes into the first of them."""
        for _ in range(blocks):
            self.blocks.mine()

    def finalize(self) -> None:
        """Mine until the newest block is final."""
        self.mine(self._final_after + self._hidden)

    def reorg(
        self, *, depth: int, drop: Collection[str] = (), through_final: bool = False
    ) -> None:
        """Replace the newest blocks by as many and one more, empty ones.

        What was in them waits again, but for the transactions named in ``drop``, which are
        forgotten. A final block is replaced only by a chain that breaks its word.

        Raises:
            ValueError: a final block would be replaced.
        """
        final = max(self._final, self.blocks.latest - self._hidden - self._final_after)
        if depth > self.blocks.latest or (
            self.blocks.latest - depth < final and not through_final
        ):
            raise ValueError(f"only blocks after {final} can be replaced")
        for _ in range(depth):
            self.blocks.unmine(dropped=frozenset(drop))
        waiting, self.blocks.pool = self.blocks.pool, []
        self.mine(depth + 1)
        self.blocks.pool = waiting

    def stick(self) -> None:
        """Have the network ask for more than what waits offers."""
        self.blocks.asked += 1

    def ease(self) -> None:
        """Have the network ask nothing any more: all that waits can come into a block."""
        self.blocks.asked = 0

    def take_rent(self, cost: int, *, of: str | None = None) -> str:
        """Have the network take coins, smallest units, for lying at a deposit address.

        Where none is named they lie in the hot wallet.
        """
        money = Money(cost, self.state.native)
        return self._submit(lambda _: self.state.take_rent(of or self.sender, money, of=of))

    def lag(self, blocks: int) -> None:
        """Have the nodes hide so many of the newest blocks; 0 shows them all."""
        self._hidden = blocks

    def fail_next(self, calls: int = 1) -> None:
        """Have the next calls find no node that answers; nothing reaches the chain."""
        self._faults += calls

    def time_out_after_accepting(self) -> None:
        """Have the next broadcast reach the chain and its answer be lost."""
        self._accepts_and_times_out = True

    @property
    def _latest(self) -> int:
        return max(self.blocks.latest - self._hidden, 0)

    def _answer(self) -> None:
        if self._faults:
            self._faults -= 1
            raise ChainUnavailable("no node answered")

    def _is_gapless(self, sender: str) -> bool:
        """Tell whether a sender's numbers come in without a gap.

        A hot wallet's whose messages have a last moment come in any order.
        """
        return sender != self.sender or self.state.nature.valid_for is None

    def _must_hold(self, holder: str, money: Money) -> None:
        if self.state.balance(holder, money.asset) < money.amount:
            raise InsufficientFundsOnChain(money.asset)
