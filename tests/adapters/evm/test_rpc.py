from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from adapters.evm.names import NotOnThisChain, native_asset, token_asset
from adapters.evm.node import EvmNode, NoEscrowContract, WrongDecimals
from adapters.evm.providers import WrongChain
from adapters.evm.rpc import Call, JsonRpc, RpcRefused, TooMuchAsked
from adapters.evm.settings import EvmChain
from adapters.evm.wire import HEADER, QUANTITY
from domain.shared.money import Asset
from ports.chain import ChainUnavailable
from tests.adapters.evm.local_chain import CHAIN, MERCHANT, address
from tests.adapters.evm.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.evm.local_chain import LocalChain

BLOCK_NUMBER = Call("eth_blockNumber")


@pytest.fixture
async def server() -> AsyncIterator[Relay]:
    async with Relay() as relay:
        yield relay


@pytest.fixture
async def rpc(server: Relay) -> AsyncIterator[JsonRpc]:
    async with JsonRpc(server.url, timeout_seconds=2, batch_calls=3) as rpc:
        yield rpc


async def test_decodes_an_answer(server: Relay, rpc: JsonRpc) -> None:
    server.answer_with(b'{"jsonrpc":"2.0","id":0,"result":"0x1f"}')

    assert await rpc.call(BLOCK_NUMBER, answer=QUANTITY) == "0x1f"


async def test_may_be_closed_and_used_again(server: Relay, rpc: JsonRpc) -> None:
    server.answer_with(b'{"jsonrpc":"2.0","id":0,"result":"0x1"}')
    await rpc.call(BLOCK_NUMBER, answer=QUANTITY)

    await rpc.aclose()
    await rpc.aclose()

    assert await rpc.call(BLOCK_NUMBER, answer=QUANTITY) == "0x1"


@pytest.mark.parametrize("status", [200, 400, 429])
async def test_an_error_of_the_node_is_typed(server: Relay, rpc: JsonRpc, status: int) -> None:
    error = {"code": -32005, "message": "limit exceeded", "data": "0xff"}
    server.answer_with(json.dumps({"id": 0, "error": error}).encode(), status=status)

    with pytest.raises(RpcRefused) as refusal:
        await rpc.call(BLOCK_NUMBER, answer=QUANTITY)

    assert (refusal.value.code, refusal.value.message) == (-32005, "limit exceeded")
    assert refusal.value.data == "0xff"
    assert isinstance(refusal.value, ChainUnavailable)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"<html>busy</html>", 200),
        (b"\xff\xfe", 200),
        (b"null", 200),
        (b'"0x1"', 200),
        (b"[]", 200),
        (b'{"jsonrpc":"2.0","id":0}', 200),
        (b'{"jsonrpc":"2.0","id":0,"result":null}', 200),
        (b'{"jsonrpc":"2.0","id":0,"result":17}', 200),
        (b'{"jsonrpc":"2.0","id":0,"result":"17"}', 200),
        (b'{"jsonrpc":"2.0","id":0,"result":"0x"}', 200),
        (b'{"jsonrpc":"2.0","id":0,"result":"0x1\\n"}', 200),
        (b'{"jsonrpc":"2.0","id":0,"result":"0x1"}', 502),
        (b"moved", 302),
    ],
)
async def test_what_makes_no_sense_is_no_answer(
    server: Relay, rpc: JsonRpc, body: bytes, status: int
) -> None:
    server.answer_with(body, status=status)

    with pytest.raises(ChainUnavailable):
        await rpc.call(BLOCK_NUMBER, answer=QUANTITY)


async def test_a_node_that_is_down_is_unavailable() -> None:
    async with JsonRpc("http://127.0.0.1:9", timeout_seconds=2) as rpc:
        with pytest.raises(ChainUnavailable) as failure:
            await rpc.call(BLOCK_NUMBER, answer=QUANTITY)

    assert failure.value.__cause__ is not None


async def test_a_node_that_hangs_up_is_unavailable(server: Relay, rpc: JsonRpc) -> None:
    server.hang_up = True

    with pytest.raises(ChainUnavailable):
        await rpc.call(BLOCK_NUMBER, answer=QUANTITY)


async def test_waiting_has_an_end(server: Relay) -> None:
    server.delay_seconds = 1
    async with JsonRpc(server.url, timeout_seconds=0.05) as rpc:
        with pytest.raises(TooMuchAsked):
            await rpc.call(BLOCK_NUMBER, answer=QUANTITY)


async def test_a_request_that_is_too_large_is_told_apart(server: Relay, rpc: JsonRpc) -> None:
    server.answer_with(b"too large", status=413)

    with pytest.raises(TooMuchAsked):
        await rpc.call(BLOCK_NUMBER, answer=QUANTITY)


async def test_a_batch_is_put_in_order(server: Relay, rpc: JsonRpc) -> None:
    answers = [{"id": at, "result": hex(at)} for at in (2, 0, 1)]
    server.answer_with(json.dumps(answers).encode())

    assert await rpc.batch([BLOCK_NUMBER] * 3, answer=QUANTITY) == ["0x0", "0x1", "0x2"]


async def test_long_batches_are_cut(server: Relay, rpc: JsonRpc) -> None:
    server.spoil("eth_blockNumber", lambda _, response: {**response, "result": "0x5"})

    assert await rpc.batch([BLOCK_NUMBER] * 7, answer=QUANTITY) == ["0x5"] * 7


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id":0,"result":"0x1"}]',
        b'[{"id":0,"result":"0x1"},{"id":2,"result":"0x1"}]',
        b'{"id":0,"result":"0x1"}',
        b'[{"id":0,"result":"0x1"},{"id":1,"error":{"code":-32000,"message":"busy"}}]',
        b'[{"id":null,"error":{"code":-32600,"message":"batch too large"}}]',
        b'{"id":null,"error":{"code":-32600,"message":"batch too large"}}',
    ],
)
async def test_a_batch_is_answered_whole_or_not_at_all(
    server: Relay, rpc: JsonRpc, body: bytes
) -> None:
    server.answer_with(body)

    with pytest.raises(ChainUnavailable):
        await rpc.batch([BLOCK_NUMBER] * 2, answer=QUANTITY)


async def test_a_header_with_a_wrong_hash_makes_no_sense(server: Relay, rpc: JsonRpc) -> None:
    header = {
        "number": "0x1",
        "hash": "0x12",
        "parentHash": "0x" + "0" * 64,
        "timestamp": "0x1",
        "logsBloom": "0x" + "0" * 512,
    }
    server.answer_with(json.dumps({"id": 0, "result": header}).encode())

    with pytest.raises(ChainUnavailable):
        await rpc.call(Call("eth_getBlockByNumber", ["0x1", False]), answer=HEADER)


async def test_refuses_a_node_of_another_chain(chain: LocalChain) -> None:
    settings = EvmChain(chain_id=1, rpc_url=chain.url, tokens=(), escrow=chain.escrow)
    async with EvmNode(settings) as node:
        with pytest.raises(WrongChain) as refusal:
            await node.open()

    assert (refusal.value.expected, refusal.value.got) == (1, 31_337)


async def test_asks_nothing_of_another_chain_even_unopened(chain: LocalChain) -> None:
    settings = EvmChain(chain_id=1, rpc_url=chain.url, tokens=(), escrow=chain.escrow)
    async with EvmNode(settings) as node:
        for _ in range(2):
            with pytest.raises(WrongChain):
                await node.call(BLOCK_NUMBER, answer=QUANTITY)


async def test_refuses_a_token_that_counts_otherwise(chain: LocalChain) -> None:
    token = Asset(chain.usdt, "tUSDT", 18)
    async with EvmNode(chain.settings(tokens=(token,))) as node:
        with pytest.raises(WrongDecimals) as refusal:
            await node.open()

    assert refusal.value.asset == chain.usdt
    assert (refusal.value.expected, refusal.value.got) == (18, 6)


@pytest.mark.parametrize("at", ["nothing", "escrow"])
async def test_refuses_a_token_that_does_not_say_how_it_counts(chain: LocalChain, at: str) -> None:
    contract = chain.escrow if at == "escrow" else address(MERCHANT)
    token = Asset(token_asset(CHAIN, contract), "FAKE", 6)
    async with EvmNode(chain.settings(tokens=(token,))) as node:
        with pytest.raises(WrongDecimals) as refusal:
            await node.open()

    assert refusal.value.got is None


async def test_takes_the_configuration_s_word_where_it_must(chain: LocalChain) -> None:
    token = Asset(token_asset(CHAIN, address(MERCHANT)), "USDt", 6)
    settings = chain.settings(tokens=(token,), decimals_unread=frozenset({token.id}))
    async with EvmNode(settings) as node:
        await node.open()


async def test_refuses_an_escrow_address_without_code(chain: LocalChain) -> None:
    async with EvmNode(chain.settings(escrow=address(MERCHANT))) as node:
        with pytest.raises(NoEscrowContract):
            await node.open()


async def test_a_node_that_was_down_at_first_is_checked_later(
    chain: LocalChain, relay: Relay
) -> None:
    relay.hang_up = True
    async with EvmNode(chain.settings(rpc_url=relay.url)) as node:
        with pytest.raises(ChainUnavailable):
            await node.open()
        relay.heal()
        await node.call(BLOCK_NUMBER, answer=QUANTITY)
        await node.open()

    assert relay.asked.count("eth_call") == 1


@pytest.mark.parametrize("url", ["", "node", "ws://node/secret", "https://no de/secret"])
def test_a_node_s_address_is_an_http_one_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="must be an HTTP address") as refusal:
        EvmChain(chain_id=1, rpc_url=url, tokens=(), escrow="0x" + "c" * 40)

    assert "secret" not in str(refusal.value)


def test_settings_take_tokens_of_their_own_chain_alone() -> None:
    token = Asset(token_asset(CHAIN, "0x" + "5" * 40), "USDT", 6)

    with pytest.raises(NotOnThisChain):
        EvmChain(chain_id=1, rpc_url="http://node", tokens=(token,), escrow="0x" + "c" * 40)


def test_settings_take_no_negative_confirmations() -> None:
    with pytest.raises(ValueError, match="negative"):
        EvmChain(
            chain_id=1,
            rpc_url="http://node",
            tokens=(),
            escrow="0x" + "c" * 40,
            confirmations=-1,
        )


def test_the_native_coin_is_the_chain_s_own() -> None:
    settings = EvmChain(
        chain_id=56, rpc_url="http://n", tokens=(), escrow="0x" + "c" * 40, native_symbol="BNB"
    )

    assert settings.native_coin == Asset(native_asset(settings.chain), "BNB", 18)


def test_the_node_s_address_is_never_shown() -> None:
    settings = EvmChain(
        chain_id=1, rpc_url="https://node/secret", tokens=(), escrow="0x" + "c" * 40
    )

    assert "secret" not in repr(settings)
