# What a test changes may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.abi import selector
from adapters.evm.bloom import BloomWatch
from adapters.evm.escrow_abi import TOPICS
from adapters.evm.escrow_contract import EvmEscrowContracts
from adapters.evm.facts import TRANSFER, EventReader
from adapters.evm.names import NotOnThisChain, native_asset, token_asset
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.settings import EvmChain
from adapters.evm.wire import Log
from domain.chains.model import (
    CreditWithdrawn,
    EscrowDisputed,
    EscrowPaid,
    EscrowRefunded,
    EscrowReleased,
    EscrowResolved,
    ObservationKey,
    Scan,
    Transfer,
)
from domain.fees.model import FeeSchedule
from domain.shared.money import Asset, ChainId, Money
from ports.chain import ChainUnavailable
from tests.adapters.evm.local_chain import (
    ARBITER,
    CHAIN,
    MERCHANT,
    NATIVE,
    OPERATOR,
    PAYER,
    STRANGER,
    TREASURY,
    address,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.model import Fact
    from domain.escrow.model import EscrowTerms
    from ports.chain import ChainReader
    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.relay import Relay

CONTRACTS = EvmEscrowContracts()


@pytest.fixture
def reader(node: EvmNode) -> ChainReader:
    return EvmChainReader(node)


async def facts(reader: ChainReader, chain: LocalChain, *, first: int) -> Sequence[Fact]:
    scan = await reader.scan(first=first, last=await chain.number())
    return [observation.fact for observation in scan.observations]


async def native_terms_of_a_merchant_that_takes_none(
    chain: LocalChain, **changes: Any
) -> EscrowTerms:
    """The token's contract takes no native coin, as some merchants' contracts do not."""
    return await chain.terms(money=Money(10_000, NATIVE), merchant=chain.token, **changes)


class TestHead:
    async def test_goes_by_the_node_s_tags(self, chain: LocalChain, reader: ChainReader) -> None:
        await chain.mine(4)
        latest = await chain.number()

        head = await reader.head()

        assert (head.latest, head.safe, head.final) == (latest, latest - 1, latest - 2)

    async def test_goes_by_confirmations_where_told_to(self, chain: LocalChain) -> None:
        await chain.mine(4)
        latest = await chain.number()
        async with EvmNode(chain.settings(confirmations=3)) as node:
            head = await EvmChainReader(node).head()

        assert (head.latest, head.safe, head.final) == (latest, latest - 3, latest - 3)

    async def test_never_puts_the_final_block_after_the_latest(
        self, relayed: EvmNode, relay: Relay
    ) -> None:
        def lag(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            if params[0] == "latest":
                response["result"]["number"] = "0x1"
            return response

        relay.spoil("eth_getBlockByNumber", lag)

        head = await EvmChainReader(relayed).head()

        assert (head.latest, head.safe, head.final) == (1, 1, 1)

    async def test_a_node_without_tags_has_no_usable_answer(
        self, relayed: EvmNode, relay: Relay
    ) -> None:
        relay.spoil("eth_getBlockByNumber", lambda _, response: {**response, "result": None})

        with pytest.raises(ChainUnavailable):
            await EvmChainReader(relayed).head()


class TestBlock:
    async def test_names_a_block_and_its_parent(
        self, chain: LocalChain, reader: ChainReader
    ) -> None:
        await chain.mine(2)
        latest = await chain.number()

        block, parent = await reader.block(latest), await reader.block(latest - 1)

        assert block is not None
        assert parent is not None
        assert block.parent == parent.hash
        assert block.time == await chain.now()

    async def test_is_none_above_the_head(self, chain: LocalChain, reader: ChainReader) -> None:
        assert await reader.block(await chain.number() + 1) is None

    async def test_is_not_taken_for_another(self, relayed: EvmNode, relay: Relay) -> None:
        def other(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            response["result"]["number"] = "0x77"
            return response

        relay.spoil("eth_getBlockByNumber", other)

        with pytest.raises(ChainUnavailable, match="asked for block 1"):
            await EvmChainReader(relayed).block(1)


class TestTransfers:
    async def test_a_deposit_is_seen(self, chain: LocalChain, reader: ChainReader) -> None:
        wallet = await chain.funded(100)
        paid = await wallet.transfer(token=chain.token, target=address(STRANGER), amount=30)
        number = await chain.number()

        scan = await reader.scan(first=number, last=number)

        (deposit,) = scan.observations
        assert deposit.fact == Transfer(
            Money(30, chain.usdt), source=address(PAYER), target=address(STRANGER)
        )
        assert deposit.key == ObservationKey(CHAIN, paid, 0)
        assert deposit.block == scan.blocks[0] == await reader.block(number)

    async def test_a_transfer_of_nothing_is_noise(
        self, chain: LocalChain, reader: ChainReader
    ) -> None:
        wallet = await chain.wallet()
        await wallet.transfer(token=chain.token, target=address(STRANGER), amount=0)

        assert await facts(reader, chain, first=await chain.number()) == []

    async def test_a_token_that_is_not_on_the_list_is_noise(self, chain: LocalChain) -> None:
        await chain.funded()
        async with EvmNode(chain.settings(tokens=())) as node:
            assert await facts(EvmChainReader(node), chain, first=await chain.number()) == []

    async def test_facts_come_in_the_chain_s_order(
        self, chain: LocalChain, reader: ChainReader
    ) -> None:
        wallet = await chain.funded(100)
        first = await chain.number() + 1
        for amount in (3, 1, 2):
            await wallet.transfer(token=chain.token, target=address(STRANGER), amount=amount)

        found = await facts(reader, chain, first=first)

        assert [fact.money.amount for fact in found if isinstance(fact, Transfer)] == [3, 1, 2]


class TestEscrow:
    async def test_payment_and_release(self, chain: LocalChain, reader: ChainReader) -> None:
        await chain.funded()
        terms = await chain.terms()
        first = await chain.number() + 1
        await chain.pay(terms)
        await chain.act(OPERATOR, "release", terms)
        escrow_id = CONTRACTS.escrow_id(terms)

        found = await facts(reader, chain, first=first)

        assert found == [
            EscrowPaid(escrow_id, "pi_01", address(PAYER), terms.money),
            Transfer(terms.money, address(PAYER), chain.escrow),
            EscrowReleased(escrow_id, 24_750_000, 250_000, pushed=True),
            Transfer(Money(24_750_000, chain.usdt), chain.escrow, address(MERCHANT)),
        ]

    async def test_refund(self, chain: LocalChain, reader: ChainReader) -> None:
        await chain.funded()
        terms = await chain.terms()
        await chain.pay(terms)
        await chain.act(OPERATOR, "refund", terms)

        found = await facts(reader, chain, first=await chain.number())

        assert found[0] == EscrowRefunded(CONTRACTS.escrow_id(terms), 25_000_000, pushed=True)

    async def test_a_rejected_push_is_not_pushed(
        self, chain: LocalChain, reader: ChainReader
    ) -> None:
        terms = await native_terms_of_a_merchant_that_takes_none(chain)
        other = await chain.terms(money=Money(10_000, NATIVE), reference="pi_02")
        first = await chain.number() + 1
        for one in (terms, other):
            await chain.pay(one)
            await chain.act(OPERATOR, "release", one)

        released = [
            fact
            for fact in await facts(reader, chain, first=first)
            if isinstance(fact, EscrowReleased)
        ]

        assert [(fact.escrow_id, fact.pushed) for fact in released] == [
            (CONTRACTS.escrow_id(terms), False),
            (CONTRACTS.escrow_id(other), True),
        ]

    async def test_dispute_and_split(self, chain: LocalChain, reader: ChainReader) -> None:
        await chain.funded()
        terms = await chain.terms()
        await chain.pay(terms)
        first = await chain.number() + 1
        await chain.act(PAYER, "dispute", terms)
        await chain.resolve(terms, payer_amount=5_000_000)
        escrow_id = CONTRACTS.escrow_id(terms)

        found = await facts(reader, chain, first=first)

        assert found[:2] == [
            EscrowDisputed(escrow_id),
            EscrowResolved(escrow_id, 5_000_000, 19_800_000, 200_000, True, True),  # noqa: FBT003 - both pushed
        ]

    @pytest.mark.parametrize("payer_amount", [0, 5_000, 9_000])
    async def test_tells_whose_part_of_a_split_was_not_pushed(
        self, chain: LocalChain, reader: ChainReader, payer_amount: int
    ) -> None:
        terms = await native_terms_of_a_merchant_that_takes_none(chain, fees=FeeSchedule(bps=0))
        await chain.pay(terms)
        await chain.act(PAYER, "dispute", terms)
        await chain.resolve(terms, payer_amount=payer_amount)

        (split,) = await facts(reader, chain, first=await chain.number())

        assert isinstance(split, EscrowResolved)
        assert (split.payer_pushed, split.merchant_pushed) == (True, False)

    async def test_a_withdrawal_names_both_accounts(
        self, chain: LocalChain, reader: ChainReader
    ) -> None:
        await chain.funded()
        terms = await chain.terms()
        await chain.pay(terms)
        await chain.act(OPERATOR, "release", terms)
        call = selector("withdrawTo(address,address)") + bytes(12)
        call += bytes.fromhex(chain.token[2:]) + bytes(12) + bytes.fromhex(address(STRANGER)[2:])
        treasury = await chain.wallet(TREASURY)
        await treasury.call(target=chain.escrow, data="0x" + call.hex())

        found = await facts(reader, chain, first=await chain.number())

        assert found[0] == CreditWithdrawn(
            address(TREASURY), address(STRANGER), Money(250_000, chain.usdt)
        )

    async def test_a_payment_in_an_unlisted_token_is_noise(self, chain: LocalChain) -> None:
        await chain.funded()
        await chain.pay(await chain.terms())
        async with EvmNode(chain.settings(tokens=())) as node:
            assert await facts(EvmChainReader(node), chain, first=await chain.number()) == []


class TestRanges:
    async def test_ends_with_the_chain(self, chain: LocalChain, reader: ChainReader) -> None:
        latest = await chain.number()

        scan = await reader.scan(first=latest - 1, last=latest + 50)

        assert [block.number for block in scan.blocks] == [latest - 1, latest]

    async def test_is_empty_above_the_head(self, chain: LocalChain, reader: ChainReader) -> None:
        latest = await chain.number()

        scan = await reader.scan(first=latest + 1, last=latest + 2)

        assert scan == Scan((), ())

    async def test_is_bounded(self, chain: LocalChain) -> None:
        async with EvmNode(chain.settings(scan_blocks=2)) as node:
            scan = await EvmChainReader(node).scan(first=1, last=await chain.number())

        assert [block.number for block in scan.blocks] == [1, 2]

    async def test_blocks_name_each_other(self, chain: LocalChain, reader: ChainReader) -> None:
        scan = await reader.scan(first=1, last=await chain.number())

        for parent, child in zip(scan.blocks, scan.blocks[1:], strict=False):
            assert child.parent == parent.hash

    @pytest.mark.parametrize("code", [-32005, -32602])
    async def test_gives_in_to_a_provider_s_limit(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay, code: int
    ) -> None:
        await chain.mine(9)
        asked: list[int] = []

        def limit(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            span = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
            asked.append(span)
            error = {"code": code, "message": "block range is limited to 3 blocks"}
            return response if span <= 3 else {"id": response["id"], "error": error}

        relay.spoil("eth_getLogs", limit)
        reader = EvmChainReader(relayed)
        latest = await chain.number()

        scan = await reader.scan(first=latest - 7, last=latest)
        following = await reader.scan(first=latest - 5, last=latest)

        assert asked == [8, 4, 2, 3]
        assert [block.number for block in scan.blocks] == [latest - 7, latest - 6]
        assert [block.number for block in following.blocks] == [latest - 5, latest - 4, latest - 3]

    async def test_does_not_take_a_rate_limit_for_a_range_s(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay
    ) -> None:
        relay.refuse("eth_getLogs", code=-32005, message="request rate limited")
        relay.asked.clear()

        with pytest.raises(ChainUnavailable):
            await EvmChainReader(relayed).scan(first=1, last=await chain.number())

        assert relay.asked.count("eth_getLogs") == 1


class TestDisagreement:
    async def test_a_reorganization_shows_in_the_parents(
        self, chain: LocalChain, reader: ChainReader
    ) -> None:
        wallet = await chain.funded(100)
        await wallet.transfer(token=chain.token, target=address(STRANGER), amount=1)
        latest = await chain.number()
        before = await reader.scan(first=latest - 1, last=latest)

        await chain.reorg(1)
        await chain.mine()
        after = await reader.scan(first=latest, last=latest + 1)

        assert after.blocks[0].parent == before.blocks[0].hash
        assert after.blocks[0].hash != before.blocks[1].hash
        assert len(before.observations) == 2
        assert not any(
            isinstance(one.fact, Transfer) and one.fact.money.amount == 1
            for one in after.observations
            if one.block == after.blocks[1]
        )

    async def test_headers_that_do_not_chain_up_are_no_answer(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay
    ) -> None:
        latest = await chain.number()

        def other_parent(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            if params[0] == hex(latest):
                response["result"]["parentHash"] = "0x" + "7" * 64
            return response

        relay.spoil("eth_getBlockByNumber", other_parent)

        with pytest.raises(ChainUnavailable, match="not on top"):
            await EvmChainReader(relayed).scan(first=latest - 2, last=latest)

    async def test_a_hole_is_no_answer(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay
    ) -> None:
        latest = await chain.number()

        def hole(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            return {**response, "result": None} if params[0] == hex(latest - 1) else response

        relay.spoil("eth_getBlockByNumber", hole)

        with pytest.raises(ChainUnavailable, match="missing"):
            await EvmChainReader(relayed).scan(first=latest - 2, last=latest)

    async def test_events_of_another_block_are_no_answer(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay
    ) -> None:
        await chain.funded()

        def of_another(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            for log in response["result"]:
                log["blockHash"] = "0x" + "7" * 64
            return response

        relay.spoil("eth_getLogs", of_another)
        latest = await chain.number()

        with pytest.raises(ChainUnavailable, match="another block"):
            await EvmChainReader(relayed).scan(first=latest, last=latest)

    async def test_silence_about_a_block_that_holds_events_is_no_answer(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay
    ) -> None:
        await chain.funded()

        def silence(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            return response if "blockHash" in params[0] else {**response, "result": []}

        relay.spoil("eth_getLogs", silence)
        latest = await chain.number()

        with pytest.raises(ChainUnavailable, match="left out"):
            await EvmChainReader(relayed).scan(first=latest, last=latest)

    async def test_a_backend_that_lacks_the_block_is_no_answer(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay
    ) -> None:
        await chain.funded()

        def lacking(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            if "blockHash" not in params[0]:
                return {**response, "result": []}
            return {"id": response["id"], "error": {"code": -32000, "message": "unknown block"}}

        relay.spoil("eth_getLogs", lacking)
        latest = await chain.number()

        with pytest.raises(ChainUnavailable, match="unknown block"):
            await EvmChainReader(relayed).scan(first=latest, last=latest)

    async def test_a_bloom_that_only_looks_like_events_is_no_reason_to_stop(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay
    ) -> None:
        await chain.mine()

        def full_bloom(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            response["result"]["logsBloom"] = "0x" + "f" * 512
            return response

        relay.spoil("eth_getBlockByNumber", full_bloom)
        latest = await chain.number()

        scan = await EvmChainReader(relayed).scan(first=latest, last=latest)

        assert len(scan.blocks) == 1


class TestInclusions:
    async def test_says_where_and_at_what_cost(
        self, chain: LocalChain, reader: ChainReader
    ) -> None:
        wallet = await chain.wallet()
        before = await wallet.balance()
        sent = await wallet.transfer_native(target=address(STRANGER), wei=5)
        unknown = "0x" + "9" * 64

        (inclusion,) = await reader.inclusions([unknown, sent])

        number = await chain.number()
        block = await reader.block(number)
        assert block is not None
        assert (inclusion.hash, inclusion.succeeded) == (sent, True)
        assert (inclusion.block_number, inclusion.block_hash) == (number, block.hash)
        assert inclusion.cost == Money(before - await wallet.balance() - 5, NATIVE)

    async def test_nothing_is_asked_about_nothing(self, reader: ChainReader) -> None:
        assert await reader.inclusions([]) == []

    async def test_a_receipt_of_another_transaction_is_no_answer(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay
    ) -> None:
        wallet = await chain.wallet()
        sent = await wallet.transfer_native(target=address(STRANGER), wei=5)

        def other(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            response["result"]["transactionHash"] = "0x" + "7" * 64
            return response

        relay.spoil("eth_getTransactionReceipt", other)

        with pytest.raises(ChainUnavailable):
            await EvmChainReader(relayed).inclusions([sent])


class TestBalance:
    async def test_is_that_after_the_block(self, chain: LocalChain, reader: ChainReader) -> None:
        wallet = await chain.funded(100)
        before = await chain.number()
        await wallet.transfer(token=chain.token, target=address(ARBITER), amount=40)

        balances = [
            await reader.balance(address(PAYER), chain.usdt, at_block=at)
            for at in (before, before + 1)
        ]

        assert balances[0] - balances[1] == Money(40, chain.usdt)

    async def test_counts_native_coin(self, chain: LocalChain, reader: ChainReader) -> None:
        wallet = await chain.wallet()

        balance = await reader.balance(address(PAYER), NATIVE, at_block=await chain.number())

        assert balance == Money(await wallet.balance(), NATIVE)

    async def test_of_another_chain_s_asset_is_not_known(self, reader: ChainReader) -> None:
        with pytest.raises(NotOnThisChain):
            await reader.balance(address(PAYER), native_asset(ChainId("eip155:1")), at_block=1)

    async def test_after_a_block_that_is_not_there_is_not_known(
        self, chain: LocalChain, reader: ChainReader
    ) -> None:
        with pytest.raises(ChainUnavailable):
            await reader.balance(address(PAYER), NATIVE, at_block=await chain.number() + 9)


TOKEN = "0x" + "5" * 40
USDT = token_asset(ChainId("eip155:1"), TOKEN)
ESCROW = "0x" + "c" * 40


def a_log(**changes: Any) -> Log:
    log = Log(
        address=TOKEN,
        topics=(TRANSFER, "0x" + "0" * 24 + "1" * 40, "0x" + "0" * 24 + "2" * 40),
        data="0x" + "0" * 63 + "7",
        block_number="0x1",
        block_hash="0x" + "b" * 64,
        transaction_hash="0x" + "d" * 64,
        log_index="0x0",
    )
    return Log(**{name: getattr(log, name) for name in log.__struct_fields__} | changes)


class TestNoise:
    @pytest.fixture
    def events(self) -> EventReader:
        token = Asset(USDT, "USDT", 6)
        return EventReader(
            EvmChain(chain_id=1, rpc_url="http://node", tokens=(token,), escrow=ESCROW)
        )

    def test_a_transfer_reads_as_one(self, events: EventReader) -> None:
        expected = Transfer(Money(7, USDT), "0x" + "1" * 40, "0x" + "2" * 40)

        assert events.read(a_log()) == expected
        assert events.read(a_log(address=TOKEN.upper().replace("X", "x"))) == expected

    @pytest.mark.parametrize(
        "changes",
        [
            {"removed": True},
            {"address": "0x" + "6" * 40},
            {"address": ESCROW},
            {"topics": ()},
            {"topics": (TRANSFER,)},
            {"topics": a_log().topics[:2]},
            {"topics": (*a_log().topics, "0x" + "0" * 64)},
            {"topics": (TRANSFER, "0x" + "1" * 64, a_log().topics[2])},
            {"topics": (TOPICS["Credited(address,address,bytes32,uint256)"], *a_log().topics[1:])},
            {"data": "0x"},
            {"data": "0x" + "0" * 128},
            {"data": "0x07"},
            {"data": "0x" + "0" * 64},
        ],
    )
    def test_what_has_another_layout_is_none(
        self, events: EventReader, changes: dict[str, Any]
    ) -> None:
        assert events.read(a_log(**changes)) is None

    def test_an_escrow_event_of_a_stranger_s_contract_is_none(self, events: EventReader) -> None:
        paid = next(topic for signature, topic in TOPICS.items() if signature.startswith("Paid"))
        payer = "0x" + "0" * 24 + "1" * 40
        topics = (paid, "0x" + "e" * 64, "0x70695f3031" + "0" * 54, payer)
        words = ["0" * 24 + "a" * 40, "0" * 24 + "5" * 40, "0" * 63 + "9", *["0" * 64] * 4]
        genuine = a_log(address=ESCROW, topics=topics, data="0x" + "".join(words))

        fact = events.read(genuine)

        assert isinstance(fact, EscrowPaid)
        assert (fact.reference, fact.money.amount) == ("pi_01", 9)
        assert events.read(a_log(address=TOKEN, topics=topics, data=genuine.data)) is None
        binary = (topics[0], topics[1], "0x" + "ff" * 32, topics[3])
        unreadable = events.read(a_log(address=ESCROW, topics=binary, data=genuine.data))
        assert unreadable == attrs.evolve(fact, reference="0x" + "ff" * 32)


def test_a_bloom_has_three_bits_a_value() -> None:
    watch = BloomWatch([(TOKEN, TRANSFER)])

    assert not watch.may_hold("0x")
    assert not watch.may_hold("0x" + "0" * 512)
    assert watch.may_hold("0x" + "f" * 512)
