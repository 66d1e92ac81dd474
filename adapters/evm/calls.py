"""What the gateway calls on a chain to carry out an instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from adapters.evm.abi import address_word, uint_word
from adapters.evm.collector_abi import collect_call
from adapters.evm.deposit_signer import TRANSFER
from adapters.evm.escrow_abi import REFUND, RELEASE, UnpayableTerms, call_with_terms
from adapters.evm.names import MalformedAddress, NotOnThisChain, check_address, is_native, token_of
from adapters.evm.release_batches import call_with_batch
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
from domain.network_fees.model import Priority
from ports.chain import InstructionRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.settings import EvmChain
    from domain.chains.instructions import Instruction
    from domain.escrow.model import EscrowTerms
    from domain.shared.money import Money

NO_KEY = "no key of deposit addresses"


@attrs.frozen
class ContractCall:
    """What a transaction does: a call with value, in wei, and whose call it is."""

    sender: str
    target: str
    value: int
    data: bytes
    index: int | None = None
    """The sender's place among deposit addresses; None for the hot wallet."""
    releases: int = 0
    """How many escrows it releases at once; 0 where it is no batch."""
    moves: tuple[ContractCall, ...] = ()
    """What a batch of sweeps comes to, each as its address's own call."""


class Calls:
    """Turns instructions into calls on one chain."""

    def __init__(self, chain: EvmChain, hot_wallet: str, *, sweeps: bool) -> None:
        self._chain: Final = chain
        self._hot_wallet: Final = hot_wallet
        self._sweeps: Final = sweeps

    def of(self, instruction: Instruction) -> ContractCall:
        """Return the call that carries an instruction out.

        Raises:
            InstructionRefused: there is no such call on this chain, or no key to sign it.
        """
        try:
            match instruction:
                case SendMoney(money=money, target=target) | FundGas(money=money, target=target):
                    return self._transfer(money, check_address(target))
                case SweepDeposit(money=money, source=source, index=index):
                    if not self._sweeps:
                        raise InstructionRefused(NO_KEY)
                    transfer = self._transfer(money, self._hot_wallet)
                    return attrs.evolve(transfer, sender=check_address(source), index=index)
                case SweepMany(places=places):
                    return self._collect([place.sweep for place in places])
                case SendMany():
                    raise InstructionRefused("a transaction pays one address")
                case ReleaseEscrow(terms=terms):
                    return self._escrow_call(RELEASE, terms)
                case ReleaseMany(releases=releases):
                    batch = [it.release.terms for it in releases]
                    data = call_with_batch(batch)
                    return ContractCall(
                        self._hot_wallet, self._contract_of(*batch), 0, data, releases=len(batch)
                    )
                case RefundEscrow(terms=terms):
                    return self._escrow_call(REFUND, terms)
        except (UnpayableTerms, NotOnThisChain, MalformedAddress) as error:
            raise InstructionRefused(f"{type(error).__name__}: {error}") from error

    def _collect(self, sweeps: Sequence[SweepDeposit]) -> ContractCall:
        collector = self._chain.collector
        if collector is None:
            raise InstructionRefused("addresses send their own tokens on this chain")
        if any(is_native(sweep.money.asset, chain=self._chain.chain) for sweep in sweeps):
            raise InstructionRefused("coins are not swept together")
        moves = tuple(self.of(sweep) for sweep in sweeps)
        data = collect_call([(move.sender, move.target) for move in moves])
        return ContractCall(self._hot_wallet, collector, 0, data, moves=moves)

    def _transfer(self, money: Money, target: str) -> ContractCall:
        chain = self._chain.chain
        if money.amount <= 0:
            raise InstructionRefused("there is nothing to send")
        if is_native(money.asset, chain=chain):
            return ContractCall(self._hot_wallet, target, money.amount, b"")
        data = TRANSFER + address_word(target) + uint_word(money.amount)
        return ContractCall(self._hot_wallet, token_of(money.asset, chain=chain), 0, data)

    def _escrow_call(self, signature: str, terms: EscrowTerms) -> ContractCall:
        data = call_with_terms(signature, terms)
        return ContractCall(self._hot_wallet, self._contract_of(terms), 0, data)

    def _contract_of(self, *batch: EscrowTerms) -> str:
        # A call to an address without code succeeds and does nothing.
        ours = self._chain.chain, self._chain.escrow
        for terms in batch:
            if (terms.chain, terms.contract) != ours:
                raise InstructionRefused(f"no escrow contract of ours: {terms.contract}")
        return self._chain.escrow


def priority_of(instruction: Instruction) -> Priority:
    """Return how urgent an instruction is: nobody waits for a sweep."""
    sweeps = isinstance(instruction, FundGas | SweepDeposit | SweepMany)
    return Priority.SLOW if sweeps else Priority.NORMAL
