"""Sending the gateway's transactions: try out, sign, broadcast, and outbid what got stuck."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

from adapters.evm.abi import address_word, selector, words_of
from adapters.evm.authorizations import Authorization
from adapters.evm.calls import NO_KEY, Calls, ContractCall, priority_of
from adapters.evm.collecting import collecting_gas, delegators
from adapters.evm.data_fee import data_fee
from adapters.evm.deposit_signer import TRANSFER
from adapters.evm.escrow_abi import PUSH_GAS_CAP
from adapters.evm.fees import Fees, current_market
from adapters.evm.names import is_native, token_of
from adapters.evm.prepared import EvmPrepared
from adapters.evm.refusals import reason_of, says_known
from adapters.evm.release_batches import TRANSACTION_GAS_MAX, USUAL_PUSH_GAS, gas_limit_of
from adapters.evm.rpc import Call, RpcRefused
from adapters.evm.transactions import UnsignedTransaction, hash_of
from adapters.evm.wire import BYTES, HASH, KNOWN, QUANTITY, number
from domain.chains.instructions import FundGas, SendMoney, SweepDeposit
from domain.chains.submissions import SignedBytes
from domain.network_fees.model import Priority
from ports.chain import ChainUnavailable, InstructionRefused, InsufficientFundsOnChain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec.json import Decoder

    from adapters.evm.collecting import Delegator
    from adapters.evm.node import EvmNode
    from domain.chains.instructions import Instruction
    from domain.shared.money import ChainId, Money
    from ports.chain import Prepared
    from ports.signer import DepositSigner, Signer

_BALANCE_OF = selector("balanceOf(address)")
_PUSH_GAS_CAP = selector(PUSH_GAS_CAP)
_TRUE = 1
SWEPT_TOGETHER_MAX = 16
"""More would save little: of what an address costs, a sixteenth of 21,000 gas is the batch's."""
_ANY_NONCE = 2**32
"""Stands for a nonce in what is only measured; longer than any that will be given out."""


class EvmChainSender:
    """Sends through one node; implements `ports.chain.ChainSender`.

    One signer has the hot wallet's key, another, where there is one, those of deposit addresses.
    """

    batch_max = 1
    """A transaction is one call."""
    releases_max = 50
    """And one of the escrow contract's takes 100; see ``TRANSACTION_GAS_MAX``."""
    sweeps_max: int
    """16 where the chain has a collector, and we have the key of deposit addresses; else 0."""

    def __init__(
        self, node: EvmNode, signer: Signer, *, deposits: DepositSigner | None = None
    ) -> None:
        self.chain: ChainId = node.chain.chain
        self.sender: str = signer.address
        self._node: Final = node
        self._settings: Final = node.chain
        self._signer: Final = signer
        self._deposits: Final = deposits
        together = node.chain.collector is not None and deposits is not None
        self.sweeps_max = SWEPT_TOGETHER_MAX if together else 0
        self._calls: Final = Calls(node.chain, self.sender, sweeps=deposits is not None)

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
        call = self._calls.of(instruction)
        return (await self._estimate(call, priority_of(instruction))).fee_limit

    async def prepare(self, instruction: Instruction) -> EvmPrepared:
        """Try an instruction out on the latest state.

        Raises:
            InstructionRefused: a contract refuses, or the instruction is not of this chain; the
                reason is the contract's own error name.
            InsufficientFundsOnChain: its sender holds too little of the asset or of the native
                coin that pays for gas.
            ChainUnavailable: no node answered, or fees are over the limit.
        """
        call = self._calls.of(instruction)
        if isinstance(instruction, SendMoney | FundGas | SweepDeposit):
            await self._check_holding(call.sender, instruction.money)
        prepared = await self._estimate(call, priority_of(instruction))
        if await self._coins(call.sender) < call.value + prepared.fee_limit.amount:
            raise InsufficientFundsOnChain(self._settings.native)
        return prepared

    async def sign(self, prepared: Prepared, *, sequence: int) -> SignedBytes:
        """Sign what `prepare` returned, with a nonce. No node is asked; deterministic.

        Raises:
            InstructionRefused: the signer will not sign it.
            ChainUnavailable: the signer is a process of its own, and does not answer.
        """
        if not isinstance(prepared, EvmPrepared):
            raise TypeError(f"prepared by another sender: {type(prepared).__name__}")
        # A signer may be another process, or a device: this one does not stand still meanwhile.
        raw = await asyncio.to_thread(self._signed, prepared, sequence)
        return SignedBytes(
            hash=hash_of(raw),
            raw=raw,
            sender=prepared.sender,
            sequence=sequence,
            gapless=True,
            cancels=prepared.cancels,
        )

    async def replace(
        self, instruction: Instruction, *, attempts: Sequence[SignedBytes], waited: int
    ) -> EvmPrepared | None:
        """Return the newest of these for more, if it waits for too long and for too little.

        None as well where more would be over the limits or than its sender has.

        Raises:
            ChainUnavailable: no node answered, or fees are over the limit.
        """
        rules, newest = self._settings.fees, attempts[-1]
        if waited < rules.stuck_after_blocks or len(attempts) > rules.replacements_max:
            return None
        if await self._is_used(newest):
            return None
        priority = Priority.FAST if newest.cancels else priority_of(instruction)
        market = await current_market(self._node, priority)
        waiting = UnsignedTransaction.of_signed(newest.raw)
        offered = Fees.of(waiting)
        fees = market.better_than(offered, limits=rules)
        if fees is None or not market.outbids(offered):
            return None
        index = instruction.index if isinstance(instruction, SweepDeposit) else None
        call = ContractCall(newest.sender, waiting.target, waiting.value, waiting.data, index)
        better = await self._priced(
            call, waiting.gas_limit, fees, authorizations=waiting.authorizations
        )
        if await self._coins(call.sender) < call.value + better.fee_limit.amount:
            return None
        return attrs.evolve(better, cancels=newest.cancels)

    async def cancel(self, *, attempts: Sequence[SignedBytes]) -> EvmPrepared | None:
        """Return a transfer of nothing from the hot wallet to itself, for more than any of these.

        None where one is in a block, where more would be over the limits, and for deposit
        addresses: their signer signs no such thing.

        Raises:
            ChainUnavailable: no node answered, or fees are over the limit.
        """
        newest = attempts[-1]
        if newest.sender != self.sender or await self._is_used(newest):
            return None
        market = await current_market(self._node, Priority.FAST)
        offered = Fees.of(UnsignedTransaction.of_signed(newest.raw))
        fees = market.better_than(offered, limits=self._settings.fees)
        if fees is None:
            return None
        call = ContractCall(self.sender, self.sender, 0, b"")
        nothing = await self._priced(call, await self._gas_limit(call), fees)
        return attrs.evolve(nothing, cancels=True)

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
            if says_known(refusal) or await self._knows(signed.hash):
                return
            raise
        if name.lower() != signed.hash:
            raise ChainUnavailable(f"the node calls {signed.hash} {name}")

    async def _knows(self, hash: str) -> bool:
        call = Call("eth_getTransactionByHash", [hash])
        return await self._node.call(call, answer=KNOWN) is not None

    def _signed(self, prepared: EvmPrepared, nonce: int) -> bytes:
        call = prepared.call
        try:
            if prepared.delegators:
                signed = tuple(self._authorized(each) for each in prepared.delegators)
                prepared = attrs.evolve(prepared, authorizations=signed)
            transaction = prepared.unsigned(chain_id=self._settings.chain_id, nonce=nonce)
            if call.index is None:
                return self._signer.sign_transaction(transaction.encode())
            return self._sweep_signed(transaction.encode(), call.sender, call.index)
        except ValueError as refusal:
            raise InstructionRefused(str(refusal)) from refusal

    def _authorized(self, each: Delegator) -> Authorization:
        unsigned = each.delegation.encode()
        return Authorization.decode(self._sweep_signed(unsigned, each.address, each.index))

    def _sweep_signed(self, unsigned: bytes, source: str, index: int) -> bytes:
        if self._deposits is None:
            raise InstructionRefused(NO_KEY)
        return self._deposits.sign_sweep(unsigned, source=source, index=index)

    async def _is_used(self, signed: SignedBytes) -> bool:
        """Tell whether a transaction with its nonce is in a block."""
        call = Call("eth_getTransactionCount", [signed.sender, "latest"])
        return number(await self._node.call(call, answer=QUANTITY)) > signed.sequence

    async def _estimate(self, call: ContractCall, priority: Priority) -> EvmPrepared:
        market = await current_market(self._node, priority)
        if call.moves:
            return await self._priced_batch(call, market.fees)
        return await self._priced(call, await self._gas_limit(call), market.fees)

    async def _priced_batch(self, call: ContractCall, fees: Fees) -> EvmPrepared:
        """Return a batch of sweeps with those addresses that have to agree, and reckoned gas.

        Raises:
            InstructionRefused: every address's move fails, and the reason is the first one's.
        """
        waiting = await delegators(self._node, call.moves)
        refusals: list[InstructionRefused] = []
        transfers: list[int] = []
        for move in call.moves:
            try:
                transfers.append(await self._gas_limit(move))
            except InstructionRefused as refusal:
                refusals.append(refusal)
                transfers.append(self._settings.token_transfer_gas)
        if len(refusals) == len(call.moves):
            raise refusals[0]
        gas = collecting_gas(transfers, authorizations=len(waiting))
        measured = tuple(each.measured for each in waiting)
        priced = await self._priced(call, gas, fees, authorizations=measured)
        return attrs.evolve(priced, delegators=waiting, authorizations=())

    async def _gas_limit(self, call: ContractCall) -> int:
        if call.releases:
            return await self._gas_of_batch(call)
        await self._try_out(call)
        return await self._measured(call)

    async def _measured(self, call: ContractCall) -> int:
        """Return the gas that a call needs as things stand, and a margin."""
        used = number(await self._asked(Call("eth_estimateGas", [_request(call)]), QUANTITY))
        return used + used * self._settings.fees.gas_margin_percent // 100

    async def _gas_of_batch(self, call: ContractCall) -> int:
        """Return the gas that a batch of releases may need, and try it out with that.

        A contract that sets no limit to pushes is on a chain whose gas is another measure, where
        the formula may be too little: there an estimate is the least.
        """
        asked = {"to": call.target, "data": "0x" + _PUSH_GAS_CAP.hex()}
        cap = int(await self._asked(Call("eth_call", [asked, "latest"]), BYTES), 16)
        limit = gas_limit_of(call.releases, push_gas=cap or USUAL_PUSH_GAS)
        if not cap:
            limit = max(limit, await self._measured(call))
        elif limit > TRANSACTION_GAS_MAX:
            raise InstructionRefused(f"no transaction has {limit} gas")
        released = await self._try_out(call, gas=limit)
        if not int(released, 16):
            raise InstructionRefused("would release none")
        return limit

    async def _priced(
        self,
        call: ContractCall,
        gas_limit: int,
        fees: Fees,
        *,
        authorizations: tuple[Authorization, ...] = (),
    ) -> EvmPrepared:
        prepared = EvmPrepared(
            call, gas_limit, fees, self._settings.native, authorizations=authorizations
        )
        measured = prepared.unsigned(chain_id=self._settings.chain_id, nonce=_ANY_NONCE)
        return attrs.evolve(prepared, data_fee=await data_fee(self._node, measured))

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

    async def _try_out(self, call: ContractCall, *, gas: int | None = None) -> str:
        """Run a call without sending it and return what it returns, as ``0x`` hex."""
        request = _request(call) | ({} if gas is None else {"gas": hex(gas)})
        output = await self._asked(Call("eth_call", [request, "latest"]), BYTES)
        # Tokens like USDT return nothing on success; some others return false on failure.
        if call.data.startswith(TRANSFER) and output != "0x" and int(output, 16) != _TRUE:
            raise InstructionRefused("the token's transfer returned false")
        return output

    async def _asked(self, call: Call, answer: Decoder[str]) -> str:
        """Ask a node to run something; what a contract refuses is no trouble of the node's."""
        try:
            return await self._node.call(call, answer=answer)
        except RpcRefused as refusal:
            if "insufficient funds" in refusal.message.lower():
                raise InsufficientFundsOnChain(self._settings.native) from refusal
            reason = reason_of(refusal)
            if reason is None:
                raise
            raise InstructionRefused(reason) from refusal


def _request(call: ContractCall) -> dict[str, str]:
    return {
        "from": call.sender,
        "to": call.target,
        "value": hex(call.value),
        "data": "0x" + call.data.hex(),
    }
