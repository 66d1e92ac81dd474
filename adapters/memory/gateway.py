"""What the gateway's own transactions do on an in-memory chain, and which it can sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.memory.batches import doing_some, pay_all, release_all, sweep_all
from adapters.memory.blocks import PendingTransaction
from adapters.memory.bystanders import Bystanders
from domain.chains.instructions import (
    FundGas,
    RefundEscrow,
    ReleaseEscrow,
    ReleaseMany,
    SendMany,
    SendMoney,
    SweepDeposit,
    SweepMany,
)
from ports.chain import InstructionRefused

if TYPE_CHECKING:
    from adapters.memory.blocks import Blocks
    from adapters.memory.bystanders import Effect
    from adapters.memory.chain_state import ChainState
    from adapters.memory.escrow_machine import EscrowMachine
    from domain.chains.instructions import Instruction
    from ports.deposit_addresses import DepositAddresses


class Gateway(Bystanders):
    """The gateway among those who act: its hot wallet, and the deposit addresses it signs for.

    How many may share one of its transactions are the chain's limits; a test may change them.
    """

    def __init__(
        self,
        *,
        state: ChainState,
        escrow: EscrowMachine,
        blocks: Blocks,
        sender: str,
        has_contract: bool,
        deposits: DepositAddresses | None,
    ) -> None:
        super().__init__(state=state, escrow=escrow, blocks=blocks)
        self.sender = sender
        self.batch_max = state.nature.batch_max
        self.releases_max = state.nature.releases_max
        self.sweeps_max = state.nature.sweeps_max if deposits else 0
        self._has_contract = has_contract
        self._deposits = deposits

    def _sender_of(self, instruction: Instruction) -> str:
        """Return who signs for an instruction; a deposit address only by the key of its place."""
        match instruction:
            case SweepDeposit():
                sweeps = [instruction]
            case SweepMany(places=places):
                sweeps = [it.sweep for it in places]
            case _:
                return self.sender
        if self._deposits is None:
            raise InstructionRefused("no key of deposit addresses")
        if any(self._deposits.derive(it.index) != it.source for it in sweeps):
            raise InstructionRefused("another address's key")
        return self.sender if isinstance(instruction, SweepMany) else instruction.source

    def _try_out(self, instruction: Instruction) -> None:
        self._sender_of(instruction)
        effect = self._effect(instruction)
        match instruction:
            case ReleaseMany(releases=several) | SweepMany(places=several):
                effect = doing_some(effect, len(several))
        reason = self.blocks.succeeds(PendingTransaction(hash="", effect=effect))
        if reason is not None:
            raise InstructionRefused(reason)

    def _effect(self, instruction: Instruction) -> Effect:
        of_contract = isinstance(instruction, ReleaseEscrow | ReleaseMany | RefundEscrow)
        if of_contract and not self._has_contract:
            raise InstructionRefused("no escrow contract")
        match instruction:
            case SendMany() | ReleaseMany() | SweepMany():
                return self._effect_of_many(instruction)
            case SendMoney(money=money, target=target) | FundGas(money=money, target=target):
                return lambda _: self.state.move(self.sender, target, money)
            case SweepDeposit(money=money, source=source):
                return lambda _: self.state.move(source, self.sender, money)
            case ReleaseEscrow(terms=terms):
                return lambda at: self.escrow.release(terms, by=self.sender, at=at)
            case RefundEscrow(terms=terms):
                return lambda _: self.escrow.refund(terms, by=self.sender)

    def _effect_of_many(self, instruction: SendMany | ReleaseMany | SweepMany) -> Effect:
        match instruction:
            case SendMany(parts=parts):
                _must_fit(len(parts), self.batch_max)
                return lambda _: pay_all(self.state, self.sender, parts)
            case ReleaseMany(releases=releases):
                _must_fit(len(releases), self.releases_max)
                return lambda at: release_all(self.escrow, self.sender, releases, at=at)
            case SweepMany(places=places):
                _must_fit(len(places), self.sweeps_max)
                return lambda _: sweep_all(self.state, self.sender, places)


def _must_fit(count: int, most: int) -> None:
    if count > most:
        raise InstructionRefused(f"no more than {most} at once")
