"""Sending the gateway's transactions: try out, sign, broadcast; never a second version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from adapters.evm.abi import address_word, selector, uint_word, words_of
from adapters.evm.deposit_signer import TRANSFER
from adapters.evm.escrow_abi import REFUND, RELEASE, UnpayableTerms, call_with_terms
from adapters.evm.fees import Fees, current_fees
from adapters.evm.names import MalformedAddress, NotOnThisChain, check_address, is_native, token_of
from adapters.evm.refusals import reason_of
from adapters.evm.rpc import Call, RpcRefused
from adapters.evm.transactions import UnsignedTransaction, hash_of
from adapters.evm.wire import BYTES, HASH, KNOWN, QUANTITY, number
from domain.chains.submissions import (
    FundGas,
    RefundEscrow,
    ReleaseEscrow,
    SendMany,
    SendMoney,
    SignedBytes,
    SweepDeposit,
)
from domain.shared.money import AssetId, Money
from ports.chain import ChainUnavailable, InstructionRefused, InsufficientFundsOnChain

if TYPE_CHECKING:
    from adapters.evm.node import EvmNode
    from domain.chains.submissions import Instruction
    from domain.escrow.model import EscrowTerms
    from domain.shared.money import ChainId
    from ports.chain import Prepared
    from ports.signer import DepositSigner, Signer

_BALANCE_OF = selector("balanceOf(address)")
_KNOWN_ALREADY = re.compile(
    r"already (?:known|imported|exists|in mempool)|known transaction", re.IGNORECASE
)
"""How geth, anvil, Nethermind, Besu and Erigon greet bytes that they have."""

_TRUE = 1
_NO_KEY = "no key of deposit addresses"


@attrs.frozen
class ContractCall:
    """What a transaction does: a call with value, in wei, and whose call it is."""

    sender: str
    target: str
    value: int
    data: bytes
    index: int | None = None
    """The sender's place among deposit addresses; None for the hot wallet."""


@attrs.frozen
class EvmPrepared:
    """A call with its gas limit and fees; all it lacks is a nonce and a signature."""

    call: ContractCall
    gas_limit: int
    fees: Fees
    native: AssetId

    @property
    def sender(self) -> str:
        """The account whose nonce it lacks."""
        return self.call.sender

    @property
    def fee_limit(self) -> Money:
        """The most the network can take for it, in the native coin."""
        return Money(self.gas_limit * self.fees.max_fee_per_gas, self.native)


class EvmChainSender:
    """Sends through one node; implements `ports.chain.ChainSender`.

    One signer has the hot wallet's key, another, where there is one, those of deposit addresses.
    """

    batch_max = 1
    """A transaction is one call."""

    def __init__(
        self, node: EvmNode, signer: Signer, *, deposits: DepositSigner | None = None
    ) -> None:
        self.chain: ChainId = node.chain.chain
        self.sender: str = signer.address
        self._node: Final = node
        self._settings: Final = node.chain
        self._signer: Final = signer
        self._deposits: Final = deposits

    async def next_sequence(self, sender: str) -> int:
        """Return a sender's next nonce, waiting transactions counted.

        Raises:
            ChainUnavailable: no node answered.
        """
        call = Call("eth_getTransactionCount", [sender, "pending"])
        return number(await self._node.call(call, answer=QUANTITY))

    async def fee_limit(self, instruction: Instruction) -> Money:
        """Try an instruction out; return the most it can cost, whether its sender has that or not.

        Raises:
            InstructionRefused: as for `prepare`.
            ChainUnavailable: no node answered, or fees are over the limit.
        """
        return (await self._estimate(self._call_of(instruction))).fee_limit

    async def prepare(self, instruction: Instruction) -> EvmPrepared:
        """Try an instruction out on the latest state.

        Raises:
            InstructionRefused: a contract refuses, or the instruction is not of this chain; the
                reason is the contract's own error name.
            InsufficientFundsOnChain: its sender holds too little of the asset or of the native
                coin that pays for gas.
            ChainUnavailable: no node answered, or fees are over the limit.
        """
        call = self._call_of(instruction)
        if isinstance(instruction, SendMoney | FundGas | SweepDeposit):
            await self._check_holding(call.sender, instruction.money)
        prepared = await self._estimate(call)
        if await self._coins(call.sender) < call.value + prepared.fee_limit.amount:
            raise InsufficientFundsOnChain(self._settings.native)
        return prepared

    async def sign(self, prepared: Prepared, *, sequence: int) -> SignedBytes:
        """Sign what `prepare` returned, with a nonce. No network; deterministic.

        Raises:
            InstructionRefused: the signer will not sign it.
        """
        if not isinstance(prepared, EvmPrepared):
            raise TypeError(f"prepared by another sender: {type(prepared).__name__}")
        transaction = UnsignedTransaction(
            chain_id=self._settings.chain_id,
            nonce=sequence,
            target=prepared.call.target,
            value=prepared.call.value,
            data=prepared.call.data,
            gas_limit=prepared.gas_limit,
            max_fee_per_gas=prepared.fees.max_fee_per_gas,
            tip_per_gas=prepared.fees.tip_per_gas,
        )
        raw = self._signed(transaction.encode(), prepared.call)
        return SignedBytes(hash=hash_of(raw), raw=raw, sender=prepared.sender, sequence=sequence)

    async def broadcast(self, signed: SignedBytes) -> None:
        """Hand the bytes to the node; having them already, waiting or mined, is success.

        Raises:
            ChainUnavailable: it did not answer or did not take them. What became of them is
                unknown; only the same bytes may be sent again.
        """
        call = Call("eth_sendRawTransaction", ["0x" + signed.raw.hex()])
        try:
            name = await self._node.call(call, answer=HASH)
        except RpcRefused as refusal:
            # "Nonce too low" is also what a node says to bytes that it has mined.
            if _KNOWN_ALREADY.search(refusal.message) or await self._knows(signed.hash):
                return
            raise
        if name.lower() != signed.hash:
            raise ChainUnavailable(f"the node calls {signed.hash} {name}")

    async def _knows(self, hash: str) -> bool:
        call = Call("eth_getTransactionByHash", [hash])
        return await self._node.call(call, answer=KNOWN) is not None

    def _signed(self, unsigned: bytes, call: ContractCall) -> bytes:
        if call.index is None:
            return self._signer.sign_transaction(unsigned)
        if self._deposits is None:
            raise InstructionRefused(_NO_KEY)
        try:
            return self._deposits.sign_sweep(unsigned, source=call.sender, index=call.index)
        except ValueError as refusal:
            raise InstructionRefused(str(refusal)) from refusal

    async def _estimate(self, call: ContractCall) -> EvmPrepared:
        fees = await current_fees(self._node)
        used = await self._try_out(call)
        margin = used * self._settings.fees.gas_margin_percent // 100
        return EvmPrepared(call, used + margin, fees, self._settings.native)

    async def _check_holding(self, holder: str, money: Money) -> None:
        """Tell a lack of money, which passes, from a token's refusal, which does not."""
        if is_native(money.asset, chain=self.chain):
            held = await self._coins(holder)
        else:
            held = await self._token_balance(holder, token_of(money.asset, chain=self.chain))
        if held < money.amount:
            raise InsufficientFundsOnChain(money.asset)

    async def _coins(self, holder: str) -> int:
        call = Call("eth_getBalance", [holder, "latest"])
        return number(await self._node.call(call, answer=QUANTITY))

    async def _token_balance(self, holder: str, token: str) -> int:
        data = _BALANCE_OF + address_word(holder)
        call = Call("eth_call", [{"to": token, "data": "0x" + data.hex()}, "latest"])
        words = words_of(await self._node.call(call, answer=BYTES))
        if words is None or len(words) != 1:
            raise ChainUnavailable(f"{token} does not tell balances")
        return int(words[0], 16)

    async def _try_out(self, call: ContractCall) -> int:
        """Run a call without sending it and return the gas it needs."""
        request = {
            "from": call.sender,
            "to": call.target,
            "value": hex(call.value),
            "data": "0x" + call.data.hex(),
        }
        try:
            output = await self._node.call(Call("eth_call", [request, "latest"]), answer=BYTES)
            gas = await self._node.call(Call("eth_estimateGas", [request]), answer=QUANTITY)
        except RpcRefused as refusal:
            if "insufficient funds" in refusal.message.lower():
                raise InsufficientFundsOnChain(self._settings.native) from refusal
            reason = reason_of(refusal)
            if reason is None:
                raise
            raise InstructionRefused(reason) from refusal
        # Tokens like USDT return nothing on success; some others return false on failure.
        if call.data.startswith(TRANSFER) and output != "0x" and int(output, 16) != _TRUE:
            raise InstructionRefused("the token's transfer returned false")
        return number(gas)

    def _call_of(self, instruction: Instruction) -> ContractCall:
        try:
            match instruction:
                case SendMoney(money=money, target=target) | FundGas(money=money, target=target):
                    return self._transfer(money, check_address(target))
                case SweepDeposit(money=money, source=source, index=index):
                    if self._deposits is None:
                        raise InstructionRefused(_NO_KEY)
                    transfer = self._transfer(money, self.sender)
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
        if money.amount <= 0:
            raise InstructionRefused("there is nothing to send")
        if is_native(money.asset, chain=self.chain):
            return ContractCall(self.sender, target, money.amount, b"")
        data = TRANSFER + address_word(target) + uint_word(money.amount)
        return ContractCall(self.sender, token_of(money.asset, chain=self.chain), 0, data)

    def _escrow_call(self, signature: str, terms: EscrowTerms) -> ContractCall:
        # A call to an address without code succeeds and does nothing.
        if terms.chain != self.chain or terms.contract != self._settings.escrow:
            raise InstructionRefused(f"no escrow contract of ours: {terms.contract}")
        return ContractCall(
            self.sender, self._settings.escrow, 0, call_with_terms(signature, terms)
        )
