"""A devnet at will: its own unlocked accounts pay, as anvil, Ganache and Hardhat offer it.

The node signs, so there is no key here. What is sent is sent once: a call that got no answer is
not repeated, unlike those that only read.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self, TypeVar

import msgspec

from adapters.evm.abi import address_word, selector, uint_word
from adapters.evm.deposit_signer import TRANSFER
from adapters.evm.escrow_abi import UnpayableTerms, approve_call
from adapters.evm.escrow_contract import EvmEscrowContracts
from adapters.evm.names import MalformedAddress, NotOnThisChain, check_address, is_native, token_of
from adapters.evm.reader import EvmChainReader
from adapters.evm.refusals import reason_of
from adapters.evm.rpc import Call, JsonRpc, RpcRefused
from adapters.evm.wire import BYTES, QUANTITY, number
from ports.chain import ChainUnavailable
from ports.sandbox import SandboxRefused, WrongSandbox

if TYPE_CHECKING:
    from types import TracebackType

    from adapters.evm.node import EvmNode
    from domain.escrow.model import EscrowTerms
    from domain.shared.money import ChainId, Money

MINT_MAX: Final = 1_000_000 * 10**6
"""TestUSDT's ``MAX_MINT``: most units of one call."""

MINT_CALLS_MAX: Final = 100

PAYER: Final = 4
"""Which of the node's accounts pays: none that the demo's people have, whose wallets count nonces
for themselves."""

RECEIPT_POLL_SECONDS: Final = 0.05
RECEIPT_POLLS_MAX: Final = 600

_MINT: Final = selector("mint(address,uint256)")
_BALANCE_OF: Final = selector("balanceOf(address)")
_ALLOWANCE: Final = selector("allowance(address,address)")
_ACCOUNTS: Final = msgspec.json.Decoder(list[str])
_ANYTHING: Final = msgspec.json.Decoder()

_Answer = TypeVar("_Answer")


class _Receipt(msgspec.Struct):
    status: str


_RECEIPT: Final = msgspec.json.Decoder(_Receipt | None)


class EvmSandbox:
    """See ``ports.sandbox.Sandbox``. Close it, or use it as an async context manager."""

    def __init__(self, node: EvmNode) -> None:
        """Take the chain's node; the first of its addresses is the devnet's."""
        self.chain: Final[ChainId] = node.chain.chain
        self._settings: Final = node.chain
        self._reader: Final = EvmChainReader(node)
        self._rpc: Final = JsonRpc(
            node.chain.rpc_url, timeout_seconds=node.chain.request_timeout_seconds
        )
        self._turn: Final = asyncio.Lock()
        """One payment at a time: what the payer holds, and has allowed, is looked at before."""
        self._payer: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._rpc.aclose()

    async def check(self) -> None:
        """Make sure that the node signs for accounts of its own and lets time be moved.

        Raises:
            WrongSandbox: it does not, or it is of another chain.
            ChainUnavailable: it does not answer.
        """
        if number(await self._ask("eth_chainId", answer=QUANTITY)) != self._settings.chain_id:
            raise WrongSandbox(self.chain, "the node is of another chain")
        try:
            accounts = await self._ask("eth_accounts", answer=_ACCOUNTS)
            await self._ask("evm_increaseTime", 0, answer=_ANYTHING)
        except RpcRefused as error:
            raise WrongSandbox(self.chain, f"the node is no devnet: {error.message}") from error
        if not accounts:
            raise WrongSandbox(self.chain, "the node is no devnet: it signs for nobody")
        self._payer = accounts[min(PAYER, len(accounts) - 1)].lower()

    async def pay(self, *, target: str, money: Money, memo: str | None = None) -> str:
        """Send coins, or tokens that are minted where the payer is short of them.

        Raises:
            SandboxRefused: it is another chain's money, or nobody gives such tokens away.
            WrongSandbox: the node is no devnet.
            ChainUnavailable: the node did not answer.
        """
        if memo is not None:
            raise SandboxRefused("no memos are read on this chain")
        async with self._turn:
            payer = await self._known_payer()
            try:
                recipient = check_address(target)
                if is_native(money.asset, chain=self.chain):
                    return await self._send(payer, recipient, b"", value=money.amount)
                token = token_of(money.asset, chain=self.chain)
            except (MalformedAddress, NotOnThisChain) as error:
                raise SandboxRefused(f"{type(error).__name__}: {error}") from error
            await self._mint_what_is_short(payer, token, money.amount)
            data = TRANSFER + address_word(recipient) + uint_word(money.amount)
            return await self._send(payer, token, data)

    async def pay_escrow(self, terms: EscrowTerms) -> str:
        """Do what a payer's wallet is asked for.

        Raises:
            SandboxRefused: the contract does not take it.
            WrongSandbox: the node is no devnet.
            ChainUnavailable: the node did not answer.
        """
        try:
            calls = EvmEscrowContracts().wallet_calls(terms)
            native = is_native(terms.money.asset, chain=self.chain)
            token = None if native else token_of(terms.money.asset, chain=self.chain)
        except (UnpayableTerms, NotOnThisChain) as error:
            raise SandboxRefused(f"{type(error).__name__}: {error}") from error
        async with self._turn:
            payer = await self._known_payer()
            if token is not None:
                await self._mint_what_is_short(payer, token, terms.money.amount)
                await self._allow_nothing(payer, token, terms.contract)
            hash = ""
            for call in calls:
                data = bytes.fromhex(call.data[2:])
                hash = await self._send(payer, call.target, data, value=call.value)
            return hash

    async def reorganize(self, *, depth: int) -> None:
        """Replace the newest blocks by empty ones.

        Raises:
            SandboxRefused: a final block would be among them, or the node knows no such call.
            WrongSandbox: the node is no devnet.
            ChainUnavailable: the node did not answer.
        """
        async with self._turn:
            await self._known_payer()
            head = await self._reader.head()
            # What comes meanwhile only makes it less deep, seen from what is final.
            if depth > head.latest - head.final:
                most = head.latest - head.final
                raise SandboxRefused(f"only the newest {most} blocks are not final")
            try:
                await self._ask("anvil_reorg", depth, [], answer=_ANYTHING)
            except RpcRefused as error:
                raise SandboxRefused(f"the node does not do it: {error.message}") from error

    async def _known_payer(self) -> str:
        if self._payer is None:
            await self.check()
        if self._payer is None:
            raise WrongSandbox(self.chain, "the node signs for nobody")
        return self._payer

    async def _mint_what_is_short(self, payer: str, token: str, amount: int) -> None:
        held = await self._read(token, _BALANCE_OF + address_word(payer))
        short = amount - held
        if short > MINT_MAX * MINT_CALLS_MAX:
            raise SandboxRefused("more than test money is made for")
        while short > 0:
            part = min(short, MINT_MAX)
            try:
                await self._send(payer, token, _MINT + address_word(payer) + uint_word(part))
            except SandboxRefused as error:
                raise SandboxRefused(f"nobody gives {token} away: {error.reason}") from error
            short -= part

    async def _allow_nothing(self, payer: str, token: str, contract: str) -> None:
        """Take back what a payment that failed has left allowed: USDT is like that."""
        question = _ALLOWANCE + address_word(payer) + address_word(contract)
        if await self._read(token, question):
            await self._send(payer, token, approve_call(contract, 0))

    async def _read(self, contract: str, data: bytes) -> int:
        request = {"to": contract, "data": "0x" + data.hex()}
        try:
            word = await self._ask("eth_call", request, "latest", answer=BYTES)
        except RpcRefused as error:
            raise SandboxRefused(reason_of(error) or error.message) from error
        if word == "0x":
            raise SandboxRefused(f"there is no token at {contract}")
        return number(word)

    async def _send(self, payer: str, target: str, data: bytes, *, value: int = 0) -> str:
        """Have the node sign and send; return the hash when a block has it.

        Raises:
            SandboxRefused: the trial run fails, the node refuses it, or it was reverted.
            ChainUnavailable: no answer, or it is in no block in time.
        """
        request = {"from": payer, "to": target, "data": "0x" + data.hex(), "value": hex(value)}
        try:
            gas = number(await self._ask("eth_estimateGas", request, answer=QUANTITY))
            # A quarter more: another's transaction may come first and make it dearer.
            request["gas"] = hex(gas + gas // 4)
            hash = await self._ask("eth_sendTransaction", request, answer=BYTES)
        except RpcRefused as error:
            raise SandboxRefused(reason_of(error) or error.message) from error
        for _ in range(RECEIPT_POLLS_MAX):
            receipt = await self._ask("eth_getTransactionReceipt", hash, answer=_RECEIPT)
            if receipt is not None:
                if number(receipt.status) != 1:
                    raise SandboxRefused(f"reverted: {hash}")
                return hash
            await asyncio.sleep(RECEIPT_POLL_SECONDS)
        raise ChainUnavailable(f"{hash} is in no block")

    async def _ask(
        self, method: str, *params: object, answer: msgspec.json.Decoder[_Answer]
    ) -> _Answer:
        return await self._rpc.call(Call(method, params), answer=answer)
