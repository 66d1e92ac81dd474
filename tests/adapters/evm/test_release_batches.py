"""Batches of releases on a real EVM: within the gas that is reckoned, and each for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.evm.abi import selector, topic
from adapters.evm.escrow_abi import PAY, call_with_terms
from adapters.evm.escrow_contract import EvmEscrowContracts
from adapters.evm.names import ZERO_ADDRESS
from adapters.evm.reader import EvmChainReader
from adapters.evm.release_batches import TRANSACTION_GAS_MAX, gas_limit_of, left_alone
from adapters.evm.sender import EvmChainSender
from adapters.evm.transactions import UnsignedTransaction, hash_of
from adapters.evm.wire import LogLine, Topics
from domain.chains.instructions import Release, ReleaseEscrow, ReleaseMany
from domain.chains.model import EscrowReleased
from domain.fees.model import FeeSchedule
from domain.shared.money import Money
from ports.chain import InstructionRefused
from tests.adapters.evm.local_chain import (
    CHAIN_ID,
    DEPLOYER,
    MERCHANT,
    NATIVE,
    PAYER,
    address,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.node import EvmNode
    from domain.chains.submissions import Inclusion, SignedBytes
    from domain.escrow.model import EscrowTerms
    from tests.adapters.evm.local_chain import LocalChain

PUSH_GAS = 200_000
"""What these tests' contract lets a push use."""
BURNER = bytes.fromhex("635b6000566000526004601cf3")
"""Deploys four bytes that jump in a circle (JUMPDEST PUSH1 0 JUMP) until their gas is gone."""


def many(batch: Sequence[EscrowTerms]) -> ReleaseMany:
    name = EvmEscrowContracts().escrow_id
    return ReleaseMany(tuple(Release(name(it), ReleaseEscrow(it, due=True)) for it in batch))


async def pay_all(chain: LocalChain, batch: Sequence[EscrowTerms]) -> None:
    """Have the payer pay all of them in one block, in coin or in tokens it has approved."""
    signer, calls = chain.signer(PAYER), EvmEscrowContracts().wallet_calls
    nonce = int(await chain.control("eth_getTransactionCount", address(PAYER), "latest"), 16)
    await chain.automine(enabled=False)
    for terms in batch:
        native = terms.money.asset == NATIVE
        pay = UnsignedTransaction(
            chain_id=CHAIN_ID,
            nonce=nonce,
            target=chain.escrow,
            value=terms.money.amount if native else 0,
            data=call_with_terms(PAY, terms),
            gas_limit=200_000,
            max_fee_per_gas=10**11,
            tip_per_gas=10**9,
        )
        assert calls(terms)[-1].data == "0x" + pay.data.hex()
        raw = signer.sign_transaction(pay.encode())
        await chain.control("eth_sendRawTransaction", "0x" + raw.hex())
        nonce += 1
    await chain.automine(enabled=True)
    await chain.mine()
    await chain.mined(hash_of(raw))


async def tokens_for(chain: LocalChain, count: int) -> list[EscrowTerms]:
    """Return terms in the token, each paid in but the last."""
    wallet = await chain.funded(count * 1_000)
    usual = await chain.terms(money=Money(1_000, chain.usdt))
    batch = [attrs.evolve(usual, reference=f"pi_{number}") for number in range(count)]
    approve = EvmEscrowContracts().wallet_calls(
        attrs.evolve(usual, money=Money(count * 1_000, chain.usdt))
    )[0]
    await wallet.call(target=approve.target, data=approve.data)
    await pay_all(chain, batch[:-1])
    return batch


async def released(
    chain: LocalChain, node: EvmNode, batch: Sequence[EscrowTerms]
) -> tuple[SignedBytes, Inclusion, int]:
    """Release a batch; return its bytes, its inclusion and the gas it has used."""
    sender = EvmChainSender(node, chain.signer())
    prepared = await sender.prepare(many(batch))
    signed = await sender.sign(prepared, sequence=await sender.next_sequence(sender.sender))
    await sender.broadcast(signed)
    await chain.mined(signed.hash)
    [inclusion] = await EvmChainReader(node).inclusions([signed.hash])
    receipt = await chain.control("eth_getTransactionReceipt", signed.hash)
    return signed, inclusion, int(receipt["gasUsed"], 16)


async def facts(chain: LocalChain, node: EvmNode, signed: SignedBytes) -> list[EscrowReleased]:
    latest = await chain.number()
    scan = await EvmChainReader(node).scan(first=max(latest - 1, 0), last=latest)
    return [
        it.fact
        for it in scan.observations
        if it.key.transaction == signed.hash and isinstance(it.fact, EscrowReleased)
    ]


async def test_fifty_and_a_bad_one_stay_within_what_is_reckoned(
    chain: LocalChain, node: EvmNode
) -> None:
    batch = await tokens_for(chain, 51)
    mixed = [*batch[:20], batch[-1], *batch[20:-1]]

    signed, inclusion, used = await released(chain, node, mixed)

    limit = UnsignedTransaction.of_signed(signed.raw).gas_limit
    print(f"51 entries, one bad\t{used}\tgas used\tof a limit of {limit}")  # noqa: T201 - shown by pytest -s.
    assert limit == gas_limit_of(51, push_gas=PUSH_GAS) < TRANSACTION_GAS_MAX
    assert inclusion.succeeded
    assert inclusion.failed == {20}
    ends = await facts(chain, node, signed)
    assert len(ends) == 50
    assert all(it.pushed for it in ends)
    merchant = await chain.wallet(MERCHANT)
    assert await merchant.balance(token=chain.token) >= 50 * 990


async def test_who_burns_all_he_is_given_takes_nothing_from_those_after_him(
    chain: LocalChain, node: EvmNode
) -> None:
    """The dearest entries there are: new credits for all, and each push in vain."""
    deployer, batch = await chain.wallet(DEPLOYER), []
    usual = await chain.terms(money=Money(1_000, NATIVE), fees=FeeSchedule(bps=100))
    for number in range(6):
        receipt = await deployer.send({"data": BURNER})
        burner = str(receipt["contractAddress"]).lower()
        batch.append(attrs.evolve(usual, reference=f"pi_{number}", merchant=burner))
    honest = attrs.evolve(usual, reference="pi_last")
    await pay_all(chain, [*batch, honest])

    signed, inclusion, used = await released(chain, node, [*batch, honest])

    limit = UnsignedTransaction.of_signed(signed.raw).gas_limit
    print(f"6 entries that burn, one that does not\t{used}\tgas used\tof a limit of {limit}")  # noqa: T201 - shown by pytest -s.
    assert inclusion.succeeded
    assert used > 6 * PUSH_GAS
    ends = await facts(chain, node, signed)
    assert [it.pushed for it in ends] == [*[False] * 6, True]


async def test_a_batch_that_would_release_none_is_refused(
    chain: LocalChain, node: EvmNode
) -> None:
    usual = await chain.terms()
    never_paid = [attrs.evolve(usual, reference=f"pi_{number}") for number in range(2)]

    with pytest.raises(InstructionRefused, match="would release none"):
        await EvmChainSender(node, chain.signer()).prepare(many(never_paid))


@pytest.mark.parametrize(("entries", "refusal"), [(55, "would release none"), (56, "has .* gas")])
async def test_more_than_a_transaction_has_gas_for_is_refused(
    chain: LocalChain, node: EvmNode, entries: int, refusal: str
) -> None:
    usual = await chain.terms()
    batch = [attrs.evolve(usual, reference=f"pi_{number}") for number in range(entries)]

    with pytest.raises(InstructionRefused, match=refusal):
        await EvmChainSender(node, chain.signer()).prepare(many(batch))


async def test_where_pushes_have_no_limit_the_estimate_is_the_least(
    chain: LocalChain, node: EvmNode
) -> None:
    usual = attrs.evolve(await chain.terms(), money=Money(1_000, NATIVE))
    await pay_all(chain, [usual])
    unlimited = selector("setPushGasCap(uint64)") + bytes(32)
    await (await chain.wallet(DEPLOYER)).call(target=chain.escrow, data="0x" + unlimited.hex())
    sender = EvmChainSender(node, chain.signer())

    prepared = await sender.prepare(many([usual]))

    assert prepared.gas_limit == gas_limit_of(1, push_gas=PUSH_GAS)


async def test_of_another_contract_nothing_is_released(chain: LocalChain, node: EvmNode) -> None:
    ours = await chain.terms()
    theirs = attrs.evolve(ours, contract=address(MERCHANT))

    with pytest.raises(InstructionRefused, match="no escrow contract of ours"):
        await EvmChainSender(node, chain.signer()).prepare(many([ours, theirs]))


def test_others_events_do_not_count_as_entries() -> None:
    escrow = "0x" + "e" * 40
    first = {
        "released": topic("Released(bytes32,bytes32,uint256,uint256,address,uint8,address)"),
        "skipped": topic("Skipped(bytes32,uint8,uint8)"),
        "credited": topic("Credited(address,address,bytes32,uint256)"),
    }

    def log(name: str, emitter: str = escrow) -> LogLine:
        topics = Topics(first.get(name))
        return LogLine(emitter, topics, "0x", "0x1", "0x", "0x", "0x0")

    told = [
        log("released"),
        log("credited"),
        log("skipped", ZERO_ADDRESS),
        log("released", ZERO_ADDRESS),
        log("no topic at all"),
        log("skipped", escrow.upper().replace("X", "x")),
        log("released"),
        log("skipped"),
    ]

    assert left_alone(told, escrow=escrow) == {1, 3}
    assert left_alone([], escrow=escrow) == frozenset()


def test_the_gas_is_reckoned_so_that_each_push_gets_all_it_may_use() -> None:
    per_entry = gas_limit_of(2, push_gas=630_000) - gas_limit_of(1, push_gas=630_000)

    assert per_entry == 100_000 + 640_000
    assert gas_limit_of(1, push_gas=1) - gas_limit_of(1, push_gas=0) == 2
    assert gas_limit_of(50, push_gas=PUSH_GAS) == 15_208_750
