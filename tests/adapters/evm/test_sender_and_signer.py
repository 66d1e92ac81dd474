"""The sender with a signer in another thread, behind a socket: what reaches the chain, and what
becomes of what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.evm.escrow_contract import EvmEscrowContracts
from adapters.evm.sender import EvmChainSender
from adapters.evm.signed_calls import EvmTransactionReader
from adapters.memory.clock import FakeClock
from adapters.memory.signing_journal import MemorySigningJournal
from adapters.signer_process.client import RemoteSigner, SignerAddress
from adapters.signer_process.server import Desk
from config.signer import answering
from domain.chains.instructions import (
    RefundEscrow,
    Release,
    ReleaseEscrow,
    ReleaseMany,
    SendMoney,
)
from domain.shared.money import Money
from domain.signing.model import Act, Limit, Policy
from domain.signing.service import Signing, SigningKey
from ports.chain import ChainUnavailable, InstructionRefused
from tests.adapters.evm.local_chain import CHAIN, NATIVE, OPERATOR, STRANGER, address
from tests.adapters.signer_process.running import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.evm.node import EvmNode
    from domain.chains.instructions import Instruction
    from tests.adapters.evm.local_chain import LocalChain


def wei(amount: int) -> SendMoney:
    return SendMoney(Money(amount, NATIVE), address(STRANGER))


@pytest.fixture
def signer(chain: LocalChain, tmp_path: Path) -> Iterator[RemoteSigner]:
    policy = Policy(
        chain=CHAIN,
        acts=frozenset({Act.PAYOUT, Act.RELEASE, Act.REFUND}),
        limits={
            NATIVE: Limit(asset=NATIVE, per_transaction=100),
            chain.usdt: Limit(asset=chain.usdt),
        },
        fee_max=10**18,
    )
    key = SigningKey(
        id="hot",
        signer=chain.signer(),
        reader=EvmTransactionReader(
            CHAIN, escrow_contract=chain.settings().escrow, hot_wallet=address(OPERATOR)
        ),
        policy=policy,
    )
    signing = Signing(FakeClock(), MemorySigningJournal(), {("hot", CHAIN): key})
    with serving(Desk(place=tmp_path / "s"), answering(signing)) as there:
        yield RemoteSigner(there, key="hot", chain=CHAIN, address=address(OPERATOR))


@pytest.mark.parametrize("verb", [SendMoney, ReleaseEscrow, ReleaseMany, RefundEscrow])
async def test_whatever_the_gateway_sends_is_understood_and_taken(
    chain: LocalChain, node: EvmNode, signer: RemoteSigner, verb: type[Instruction]
) -> None:
    sender = EvmChainSender(node, signer)
    instruction: Instruction = wei(100)
    if verb is not SendMoney:
        await chain.funded()
        terms = await chain.terms()
        await chain.pay(terms)
        instruction = (RefundEscrow if verb is RefundEscrow else ReleaseEscrow)(terms)
        if verb is ReleaseMany:
            release = Release(EvmEscrowContracts().escrow_id(terms), ReleaseEscrow(terms))
            instruction = ReleaseMany((release,))

    prepared = await sender.prepare(instruction)
    signed = await sender.sign(prepared, sequence=await sender.next_sequence(sender.sender))
    await sender.broadcast(signed)
    await chain.mined(signed.hash)

    assert signed == await sender.sign(prepared, sequence=signed.sequence)


async def test_a_refusal_ends_the_instruction(node: EvmNode, signer: RemoteSigner) -> None:
    sender = EvmChainSender(node, signer)
    prepared = await sender.prepare(wei(101))

    with pytest.raises(InstructionRefused, match="over the limit of 100"):
        await sender.sign(prepared, sequence=0)


async def test_silence_leaves_it_to_another_time(
    node: EvmNode, signer: RemoteSigner, tmp_path: Path
) -> None:
    nobody = attrs.evolve(signer._signer, place=tmp_path / "none")
    silent = RemoteSigner(nobody, key="hot", chain=CHAIN, address=signer.address)
    sender = EvmChainSender(node, silent)
    prepared = await sender.prepare(wei(1))

    assert isinstance(nobody, SignerAddress)
    with pytest.raises(ChainUnavailable):
        await sender.sign(prepared, sequence=0)
