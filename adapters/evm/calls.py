"""What the gateway calls on a chain to carry out an instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from adapters.evm.abi import address_word, uint_word
from adapters.evm.deposit_signer import TRANSFER
from adapters.evm.escrow_abi import REFUND, RELEASE, UnpayableTerms, call_with_terms
from adapters.evm.names import MalformedAddress, NotOnThisChain, check_address, is_native, token_of
from domain.chains.submissions import (
    FundGas,
    RefundEscrow,
    ReleaseEscrow,
    SendMany,
    SendMoney,
    SweepDeposit,
)
from domain.network_fees.model import Priority
from ports.chain import InstructionRefused

if TYPE_CHECKING:
    from adapters.evm.settings import EvmChain
    from domain.chains.submissions import Instruction
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
                case SendMany():
                    raise InstructionRefused("a transaction pays one address")
                case ReleaseEscrow(terms=terms):
                    return self._escrow_call(RELEASE, terms)
                case RefundEscrow(terms=terms):
                    return self._escrow_call(REFUND, terms)
        except (UnpayableTerms, NotOnThisChain, MalformedAddress) as error:
            raise InstructionRefused(f"{type(error).__name__}: {error}") from error

    def _transfer(self, money: Money, target: str) -> ContractCall:
        chain = self._chain.chain
        if money.amount <= 0:
            raise InstructionRefused("there is nothing to send")
        if is_native(money.asset, chain=chain):
            return ContractCall(self._hot_wallet, target, money.amount, b"")
        data = TRANSFER + address_word(target) + uint_word(money.amount)
        return ContractCall(self._hot_wallet, token_of(money.asset, chain=chain), 0, data)

    def _escrow_call(self, signature: str, terms: EscrowTerms) -> ContractCall:
        # A call to an address without code succeeds and does nothing.
        escrow = self._chain.escrow
        if terms.chain != self._chain.chain or terms.contract != escrow:
            raise InstructionRefused(f"no escrow contract of ours: {terms.contract}")
        return ContractCall(self._hot_wallet, escrow, 0, call_with_terms(signature, terms))


def priority_of(instruction: Instruction) -> Priority:
    """Return how urgent an instruction is: nobody waits for a sweep."""
    sweeps = isinstance(instruction, FundGas | SweepDeposit)
    return Priority.SLOW if sweeps else Priority.NORMAL
