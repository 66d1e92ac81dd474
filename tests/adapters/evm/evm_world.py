"""A chain of the EVM adapter's as the suites that every chain passes want it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import attrs

from adapters.evm.addresses import XpubAddresses
from adapters.evm.escrow_contract import EvmEscrowContracts
from adapters.evm.reader import EvmChainReader
from adapters.evm.sender import EvmChainSender
from domain.escrow.model import EscrowTerms
from domain.shared.money import AssetId, Money
from ports.chain import ChainReader, ChainSender
from tests.adapters.evm.local_chain import (
    DEPOSITS,
    NATIVE,
    OPERATOR,
    PAYER,
    LocalChain,
    address,
)
from tests.builders import address_of
from tests.contracts.chain import PURSE, WALLET

if TYPE_CHECKING:
    from adapters.evm.node import EvmNode
    from domain.shared.ids import EscrowId

FINAL_DEPTH = 2
"""Blocks on top of a final one, on the devnet and on anvil with epochs of one slot."""


@attrs.define
class EvmWorld:
    chain: LocalChain
    reader: ChainReader
    sender: ChainSender
    usual: EscrowTerms
    native: AssetId
    token: AssetId
    payer: str
    watched: str
    first_block: int = 0
    taken: dict[str, int] = attrs.field(factory=dict)

    @classmethod
    async def prepare(cls, chain: LocalChain, node: EvmNode) -> Self:
        await chain.funded(PURSE, PAYER)
        await chain.funded(WALLET, OPERATOR)
        return cls(
            chain=chain,
            reader=EvmChainReader(node),
            sender=EvmChainSender(node, chain.signer(), deposits=chain.deposit_signer()),
            usual=await chain.terms(),
            native=NATIVE,
            token=chain.usdt,
            payer=address(PAYER),
            watched=address_of("deposit"),
        )

    def somebody(self, name: str) -> str:
        return address_of(name)

    def terms(self, reference: str, *, amount: int) -> EscrowTerms:
        return attrs.evolve(self.usual, reference=reference, money=Money(amount, self.token))

    def deposit(self, index: int) -> str:
        return XpubAddresses(DEPOSITS.xpub()).derive(index)

    def escrow_id(self, terms: EscrowTerms) -> EscrowId:
        return EvmEscrowContracts().escrow_id(terms)

    async def pay(self, *, target: str, amount: int) -> str:
        wallet = await self.chain.wallet()
        return await wallet.transfer(token=self.chain.token, target=target, amount=amount)

    async def pay_escrow(self, terms: EscrowTerms) -> str:
        return await self.chain.pay(terms)

    async def mine(self, blocks: int = 1) -> None:
        await self.chain.mine(blocks)

    async def finalize(self) -> None:
        await self.chain.mine(FINAL_DEPTH)

    async def reorg(self, *, depth: int) -> None:
        await self.chain.reorg(depth)
        await self.chain.mine()
