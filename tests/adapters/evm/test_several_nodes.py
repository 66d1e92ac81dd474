"""One chain through two nodes that do not always see the same of it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.heads import ProvidersDisagree
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.sender import EvmChainSender
from domain.chains.instructions import SendMoney
from domain.chains.model import Transfer
from domain.shared.money import Money
from ports.chain import ChainUnavailable
from tests.adapters.evm.local_chain import NATIVE, STRANGER, LocalChain, address
from tests.adapters.evm.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection


@attrs.define
class Twice:
    """A chain, the two nodes that show it, and what reads it through them."""

    chain: LocalChain
    nodes: tuple[Relay, Relay]
    closing: AsyncExitStack
    time: list[float] = attrs.field(factory=lambda: [1_000.0])

    async def node(self, **changes: Any) -> EvmNode:  # noqa: ANN401 - whatever a setting is of
        first, second = self.nodes
        settings = self.chain.settings(rpc_url=first.url, more_rpc_urls=(second.url,), **changes)
        node = EvmNode(settings, clock=lambda: self.time[0])
        await self.closing.enter_async_context(node)
        await node.open()
        return node

    async def reader(self, **changes: Any) -> EvmChainReader:  # noqa: ANN401 - as above
        return EvmChainReader(await self.node(**changes))

    async def paid(self, amount: int) -> int:
        """Pay a stranger; return the block."""
        wallet = await self.chain.funded(amount)
        await wallet.transfer(token=self.chain.token, target=address(STRANGER), amount=amount)
        return await self.chain.number()


@pytest.fixture
async def twice(chain: LocalChain) -> AsyncIterator[Twice]:
    async with AsyncExitStack() as closing:
        first = await closing.enter_async_context(Relay(chain.url))
        second = await closing.enter_async_context(Relay(chain.url))
        yield Twice(chain, (first, second), closing)


def stops_at(relay: Relay, height: int) -> None:
    """Make a node one that has no block above a number."""

    def latest(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        return {**response, "result": hex(min(int(response["result"], 16), height))}

    def block(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        found = response["result"]
        beyond = found is not None and int(found["number"], 16) > height
        return {**response, "result": None} if beyond else response

    def logs(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        found = [log for log in response["result"] if int(log["blockNumber"], 16) <= height]
        return {**response, "result": found}

    relay.spoil("eth_blockNumber", latest)
    relay.spoil("eth_getBlockByNumber", block)
    relay.spoil("eth_getLogs", logs)


def renamed(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
    """Show every block as another one."""
    if response["result"] is not None:
        response["result"]["hash"] = "0x" + "7" * 64
    return response


def transfers(observations: Collection[Any]) -> list[int]:
    facts = [each.fact for each in observations]
    return [fact.money.amount for fact in facts if isinstance(fact, Transfer)]


class TestScans:
    async def test_a_scan_is_of_one_node_from_end_to_end(self, twice: Twice) -> None:
        reader, latest = await twice.reader(), await twice.paid(41)
        twice.nodes[0].refuse("eth_getLogs", code=-32603, message="internal error")

        scan = await reader.scan(first=latest - 1, last=latest)

        assert 41 in transfers(scan.observations)
        assert "eth_getBlockByNumber" in twice.nodes[1].asked
        assert "eth_getLogs" in twice.nodes[1].asked

    async def test_a_node_that_forgets_a_block_s_events_is_found_out(self, twice: Twice) -> None:
        reader, latest = await twice.reader(), await twice.paid(42)

        def silence(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            return response if "blockHash" in params[0] else {**response, "result": []}

        twice.nodes[0].spoil("eth_getLogs", silence)

        scan = await reader.scan(first=latest, last=latest)

        assert transfers(scan.observations) == [42]

    async def test_one_address_with_a_lagging_node_behind_it_is_found_out(
        self, twice: Twice
    ) -> None:
        reader, latest = await twice.reader(), await twice.paid(43)

        def lacking(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            if "blockHash" not in params[0]:
                return {**response, "result": []}
            return {"id": response["id"], "error": {"code": -32000, "message": "unknown block"}}

        for relay in twice.nodes:
            relay.spoil("eth_getLogs", lacking)

        with pytest.raises(ChainUnavailable, match="unknown block"):
            await reader.scan(first=latest, last=latest)

    async def test_blooms_that_a_chain_leaves_empty_prove_nothing(self, twice: Twice) -> None:
        reader = await twice.reader()
        seen, unseen = await twice.paid(44), await twice.paid(45)
        hidden = True

        def empty(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            if response["result"] is not None:
                response["result"]["logsBloom"] = "0x" + "0" * 512
            return response

        def forgets(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            if hidden and "blockHash" not in params[0]:
                kept = [it for it in response["result"] if int(it["blockNumber"], 16) != unseen]
                return {**response, "result": kept}
            return response

        for relay in twice.nodes:
            relay.spoil("eth_getBlockByNumber", empty)
            relay.spoil("eth_getLogs", forgets)

        with pytest.raises(ChainUnavailable, match="left out"):
            await reader.scan(first=seen, last=unseen)

    async def test_each_has_a_range_of_its_own(self, twice: Twice) -> None:
        reader, latest = await twice.reader(scan_blocks=8), await twice.chain.number()

        def narrow(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            limits = params[0]
            if int(limits["toBlock"], 16) - int(limits["fromBlock"], 16) < 2:
                return response
            error = {"code": -32005, "message": "query exceeds max block range"}
            return {"id": response["id"], "error": error}

        twice.nodes[0].spoil("eth_getLogs", narrow)
        assert len((await reader.scan(first=latest - 8, last=latest)).blocks) == 2

        twice.nodes[0].refuse("eth_getLogs", code=-32601, message="method not found")
        assert len((await reader.scan(first=latest - 8, last=latest)).blocks) == 8

    async def test_who_serves_no_logs_is_not_asked_for_them_again(self, twice: Twice) -> None:
        reader, latest = await twice.reader(), await twice.chain.number()
        twice.nodes[0].refuse("eth_getLogs", code=-32004, message="not supported")

        for _ in range(2):
            await reader.scan(first=latest, last=latest)

        assert twice.nodes[0].asked.count("eth_getLogs") == 1


class TestOurs:
    async def test_who_is_ours_is_asked_when_all_blocks_have_been_read(
        self, chain: LocalChain, relayed: EvmNode, relay: Relay
    ) -> None:
        wallet = await chain.funded(100)
        await wallet.transfer(token=chain.token, target=address(STRANGER), amount=7)
        latest = await chain.number()
        answered: list[int] = []

        async def ours(addresses: Collection[str]) -> Collection[str]:
            answered.append(len(relay.asked))
            return {address(STRANGER)} & set(addresses)

        reader = EvmChainReader(relayed)
        scan = await reader.scan(first=latest - 1, last=latest, ours=ours)

        assert transfers(scan.observations) == [7]
        assert answered == [len(relay.asked)]

    async def test_strangers_are_left_out_whatever_they_are(self, twice: Twice) -> None:
        reader, latest = await twice.reader(), await twice.paid(9)

        async def nobody(addresses: Collection[str]) -> Collection[str]:
            assert address(STRANGER) in addresses
            return ()

        assert (await reader.scan(first=1, last=latest, ours=nobody)).observations == ()


class TestLag:
    async def test_a_node_that_lags_is_not_asked(self, twice: Twice) -> None:
        latest = await twice.paid(50)
        reader = await twice.reader(lag_blocks=2)
        stops_at(twice.nodes[0], latest - 5)
        twice.nodes[0].asked.clear()

        head = await reader.head()
        scan = await reader.scan(first=head.latest, last=head.latest)

        assert head.latest >= latest
        assert transfers(scan.observations) == [50]
        assert twice.nodes[0].asked == ["eth_blockNumber"]

    async def test_a_little_lag_cuts_scans_short_and_hides_nothing(self, twice: Twice) -> None:
        latest = await twice.paid(51)
        reader = await twice.reader(lag_blocks=10)
        stops_at(twice.nodes[0], latest - 1)

        scan = await reader.scan(first=latest - 1, last=latest)

        assert [block.number for block in scan.blocks] == [latest - 1]


class TestFinality:
    @pytest.mark.parametrize("refuses", [True, False])
    async def test_who_knows_no_final_block_is_not_asked_for_heads_again(
        self, twice: Twice, *, refuses: bool
    ) -> None:
        await twice.chain.mine(4)
        reader = await twice.reader()

        def untagged(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            if params[0] not in {"finalized", "safe"}:
                return response
            error = {"code": -32602, "message": "invalid block tag"}
            changed = {"error": error} if refuses else {"result": None}
            return {"id": response["id"], **changed}

        twice.nodes[0].spoil("eth_getBlockByNumber", untagged)
        for _ in range(3):
            assert (await reader.head()).final > 0

        assert twice.nodes[0].asked.count("eth_getBlockByNumber") == 3
        assert twice.nodes[1].asked.count("eth_getBlockByNumber") == 9


class TestQuorum:
    async def test_two_who_agree_make_a_block_final(self, twice: Twice) -> None:
        await twice.chain.mine(4)
        reader = await twice.reader(quorum=2)

        head = await reader.head()

        alone = await EvmChainReader(await twice.node()).head()
        assert (head.final, head.final_hash) == (alone.final, alone.final_hash)
        assert 0 < head.final < head.latest

    async def test_two_who_disagree_are_no_answer(self, twice: Twice) -> None:
        await twice.chain.mine(4)
        reader = await twice.reader(quorum=2)
        twice.nodes[1].spoil("eth_getBlockByNumber", renamed)

        with pytest.raises(ProvidersDisagree):
            await reader.head()

    async def test_what_only_one_has_is_final_as_far_as_the_other_goes(self, twice: Twice) -> None:
        await twice.chain.mine(9)
        reader = await twice.reader(quorum=2, lag_blocks=100)
        usual = await reader.head()
        stops_at(twice.nodes[1], usual.final - 2)
        fresh = await twice.reader(quorum=2, lag_blocks=100)

        assert (await fresh.head()).final == usual.final - 2

    async def test_who_claims_a_block_and_cannot_show_it_agrees_to_nothing(
        self, twice: Twice
    ) -> None:
        await twice.chain.mine(4)
        reader = await twice.reader(quorum=2)

        def missing(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            return {**response, "result": None}

        twice.nodes[1].spoil("eth_getBlockByNumber", missing)

        with pytest.raises(ChainUnavailable, match="too few"):
            await reader.head()

    async def test_without_the_other_what_was_final_stays_so_and_no_more(
        self, twice: Twice
    ) -> None:
        await twice.chain.mine(4)
        reader = await twice.reader(quorum=2)
        before = await reader.head()
        await twice.chain.mine(4)
        twice.nodes[1].answer_with(b"", status=503)

        after = await reader.head()

        assert (after.final, after.final_hash) == (before.final, before.final_hash)
        assert after.latest == before.latest + 4
        with pytest.raises(ChainUnavailable, match="too few"):
            await (await twice.reader(quorum=2)).head()


class TestBroadcast:
    @pytest.mark.parametrize("bad", [0, 1])
    async def test_all_are_told_and_one_that_takes_it_is_enough(
        self, twice: Twice, bad: int
    ) -> None:
        node = await twice.node()
        await node.providers.survey(every_seconds=1)
        sender = EvmChainSender(node, twice.chain.signer())
        target = address(STRANGER)
        prepared = await sender.prepare(SendMoney(Money(5, NATIVE), target))
        number = await sender.next_sequence(sender.sender)
        signed = await sender.sign(prepared, sequence=number)
        twice.nodes[bad].hang_up = True

        await sender.broadcast(signed)

        await twice.chain.mined(signed.hash)
        for relay in twice.nodes:
            assert "eth_sendRawTransaction" in relay.asked

    async def test_what_one_takes_and_loses_the_answer_to_is_unknown_never_refused(
        self, twice: Twice
    ) -> None:
        sender = EvmChainSender(await twice.node(), twice.chain.signer())
        prepared = await sender.prepare(SendMoney(Money(5, NATIVE), address(STRANGER)))
        number = await sender.next_sequence(sender.sender)
        signed = await sender.sign(prepared, sequence=number)
        for relay in twice.nodes:
            relay.hang_up = True

        with pytest.raises(ChainUnavailable):
            await sender.broadcast(signed)
        await twice.chain.mined(signed.hash)
        for relay in twice.nodes:
            relay.heal()

        await sender.broadcast(signed)
