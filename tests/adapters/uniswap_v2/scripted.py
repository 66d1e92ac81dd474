"""A node that answers by a script, and remembers what it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import attrs
import msgspec

from adapters.memory.clock import FakeClock
from adapters.uniswap_v2.abi import (
    ALLOWANCE,
    FACTORY,
    GET_PAIR,
    GET_RESERVES,
    WRAPPED,
    address_word,
    uint_word,
)
from adapters.uniswap_v2.exchange import UniswapV2
from adapters.uniswap_v2.requests import Request
from adapters.uniswap_v2.settings import UniswapV2Exchange
from domain.shared.money import AssetId
from ports.chain import ChainUnavailable
from tests.builders import CHAIN, hash_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_Answer = TypeVar("_Answer")

ROUTER, FACTORY_AT, WRAPPED_AT, PAIR = ("0x" + digits * 20 for digits in ("e1", "e2", "e3", "e4"))
LOW, HIGH = (AssetId(f"{CHAIN}/erc20:0x{digit * 40}") for digit in "12")
"""Two tokens, in the order in which a pair keeps them."""

SETTINGS: Final = UniswapV2Exchange(
    name="Uniswap v2",
    chain_id=31_337,
    router=ROUTER,
    factory=FACTORY_AT,
    wrapped=WRAPPED_AT,
    fee_bps=30,
    fee_limit_wei=10**18,
)
HEAD: Final = {
    "number": "0x7",
    "hash": hash_of("head"),
    "parentHash": hash_of("parent"),
    "timestamp": "0x69a00000",
}


@attrs.define
class ScriptedNode:
    """Implements `adapters.uniswap_v2.requests.EvmRequests`."""

    answers: dict[str, object] = attrs.field(factory=dict)
    """By method, or by the selector of what is called; an exception is raised."""
    asked: list[Request] = attrs.field(factory=list)
    batches: list[int] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        usual: dict[str, object] = {
            "eth_getBlockByNumber": HEAD,
            FACTORY.hex(): address_word(FACTORY_AT),
            WRAPPED.hex(): address_word(WRAPPED_AT),
            GET_PAIR.hex(): address_word(PAIR),
            GET_RESERVES.hex(): uint_word(10**9) + uint_word(2 * 10**9) + uint_word(7),
            ALLOWANCE.hex(): uint_word(0),
        }
        self.answers = {**usual, **self.answers}

    async def ask(self, request: Request, *, answer: msgspec.json.Decoder[_Answer]) -> _Answer:
        self.asked.append(request)
        found = self.answers[self.key(request)]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, bytes):
            found = "0x" + found.hex()
        try:
            return answer.decode(msgspec.json.encode(found))
        except msgspec.MsgspecError as error:
            raise ChainUnavailable("the node's answer makes no sense") from error

    async def ask_all(
        self, requests: Sequence[Request], *, answer: msgspec.json.Decoder[_Answer]
    ) -> Sequence[_Answer]:
        self.batches.append(len(requests))
        return [await self.ask(request, answer=answer) for request in requests]

    def exchange(self) -> UniswapV2:
        return UniswapV2(SETTINGS, self, clock=FakeClock())

    def key(self, request: Request) -> str:
        if request.method != "eth_call":
            return request.method
        called = request.params[0]
        assert isinstance(called, dict)
        return str(called["data"])[2:10]
