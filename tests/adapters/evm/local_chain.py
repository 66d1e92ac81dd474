"""A chain on this machine with fresh contracts on it, and the verbs that tests steer it with."""

# What a test changes may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
from eth_abi.abi import encode

from adapters.evm.abi import selector
from adapters.evm.deploy import Deployer
from adapters.evm.deposit_signer import LocalDepositSigner
from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.escrow_abi import TERMS_TYPE, terms_words
from adapters.evm.escrow_contract import EvmEscrowContracts
from adapters.evm.names import chain_name, native_asset, token_asset
from adapters.evm.private_keys import ExtendedPrivateKey
from adapters.evm.rpc import Call, JsonRpc
from adapters.evm.settings import EvmChain
from adapters.evm.signer import LocalSigner
from adapters.evm.wallet import PayerWallet
from domain.escrow.model import EscrowTerms
from domain.fees.model import FeeSchedule
from domain.shared.money import Asset, Money

if TYPE_CHECKING:
    from domain.shared.money import AssetId

CHAIN_ID = 31_337
RECEIPT_POLLS_MAX = 100
CHAIN = chain_name(CHAIN_ID)
NATIVE = native_asset(CHAIN)
DEPLOYER, OPERATOR, ARBITER, TREASURY, PAYER, MERCHANT, STRANGER = range(7)
"""Places among the devnet's public accounts."""

DEPOSITS = ExtendedPrivateKey.master(secrets.token_bytes(32)).account(0)
"""The account of the deposit addresses; new in each run, so that none has money from another."""

_ANYTHING = msgspec.json.Decoder()


def address(place: int) -> str:
    return devnet_accounts()[place].address.lower()


def key(place: int) -> bytes:
    return devnet_accounts()[place].private_key


@attrs.define
class LocalChain:
    """The node at `url`, with a token and an escrow contract of this test's own."""

    url: str
    token: str
    escrow: str
    rpc: JsonRpc
    closing: AsyncExitStack

    @classmethod
    async def prepare(cls, url: str, closing: AsyncExitStack) -> LocalChain:
        deployer = await closing.enter_async_context(Deployer(url, key(DEPLOYER)))
        token = await deployer.deploy_token()
        escrow = await deployer.deploy_escrow(
            operator=address(OPERATOR), arbiter=address(ARBITER), treasury=address(TREASURY)
        )
        rpc = await closing.enter_async_context(JsonRpc(url, timeout_seconds=10))
        return cls(url, token.address, escrow.address, rpc, closing)

    @property
    def usdt(self) -> AssetId:
        return token_asset(CHAIN, self.token)

    def settings(self, **changes: Any) -> EvmChain:
        usual = EvmChain(
            chain_id=CHAIN_ID,
            rpc_url=self.url,
            tokens=(Asset(self.usdt, "tUSDT", 6),),
            escrow=self.escrow,
            request_timeout_seconds=10,
        )
        return attrs.evolve(usual, **changes)

    def signer(self, place: int = OPERATOR) -> LocalSigner:
        return LocalSigner(key(place), chain_id=CHAIN_ID)

    def deposit_signer(
        self, collector: str | None = None, *, deposits: ExtendedPrivateKey = DEPOSITS
    ) -> LocalDepositSigner:
        return LocalDepositSigner(
            deposits,
            chain_id=CHAIN_ID,
            hot_wallet=address(OPERATOR),
            tokens=[self.token],
            collector=collector,
        )

    async def deploy_collector(self, destination: int = OPERATOR) -> str:
        deployer = Deployer(self.url, key(DEPLOYER))
        await self.closing.enter_async_context(deployer)
        return (await deployer.deploy_collector(destination=address(destination))).address

    async def wallet(self, place: int = PAYER) -> PayerWallet:
        return await self.closing.enter_async_context(PayerWallet(self.url, key(place)))

    async def funded(self, amount: int = 1_000_000_000, place: int = PAYER) -> PayerWallet:
        wallet = await self.wallet(place)
        await wallet.mint(token=self.token, amount=amount)
        return wallet

    async def fund(self, holder: str, wei: int = 10**16) -> None:
        await (await self.wallet()).transfer_native(target=holder, wei=wei)

    async def terms(self, **changes: Any) -> EscrowTerms:
        now = await self.now()
        usual = EscrowTerms(
            chain=CHAIN,
            contract=self.escrow,
            reference="pi_01",
            merchant=address(MERCHANT),
            money=Money(25_000_000, self.usdt),
            fees=FeeSchedule(bps=100),
            pay_by=now + timedelta(hours=1),
            auto_release_at=now + timedelta(days=7),
            refund_until=now + timedelta(days=14),
        )
        return attrs.evolve(usual, **changes)

    async def pay(self, terms: EscrowTerms, place: int = PAYER) -> str:
        wallet = await self.wallet(place)
        return await wallet.pay(EvmEscrowContracts().wallet_calls(terms))

    async def act(self, place: int, verb: str, terms: EscrowTerms) -> str:
        """Call ``release``, ``refund`` or ``dispute`` from an account."""
        data = selector(f"{verb}({TERMS_TYPE})") + terms_words(terms)
        return await (await self.wallet(place)).call(target=self.escrow, data="0x" + data.hex())

    async def resolve(self, terms: EscrowTerms, *, payer_amount: int) -> str:
        data = (
            selector(f"resolve({TERMS_TYPE},uint256)")
            + terms_words(terms)
            + encode(["uint256"], [payer_amount])
        )
        wallet = await self.wallet(ARBITER)
        return await wallet.call(target=self.escrow, data="0x" + data.hex())

    async def now(self) -> datetime:
        block = await self.control("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - wire
        return datetime.fromtimestamp(int(block["timestamp"], 16), tz=UTC)

    async def number(self) -> int:
        return int(await self.control("eth_blockNumber"), 16)

    async def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            await self.control("evm_mine")

    async def mined(self, hash: str) -> None:
        """Wait for a receipt: anvil mines a moment after it has taken a transaction."""
        for _ in range(RECEIPT_POLLS_MAX):
            if await self.control("eth_getTransactionReceipt", hash) is not None:
                return
            await asyncio.sleep(0.02)
        raise TimeoutError(f"{hash} is in no block")

    async def reorg(self, depth: int) -> None:
        await self.control("anvil_reorg", depth, [])

    async def automine(self, *, enabled: bool) -> None:
        await self.control("evm_setAutomine", enabled)

    async def control(self, method: str, *params: object) -> Any:
        return await self.rpc.call(Call(method, params), answer=_ANYTHING)
