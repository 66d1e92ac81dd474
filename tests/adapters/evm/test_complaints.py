"""How providers word what they ask for; each line is a real one's."""

from __future__ import annotations

import pytest

from adapters.evm.complaints import asks_for_less, asks_for_patience, lacks_method
from adapters.evm.rpc import RpcRefused, Throttled, TooMuchAsked
from ports.chain import ChainUnavailable

LESS = [
    (-32005, "query returned more than 10000 results"),
    (-32005, "limit exceeded"),
    (-32600, "eth_getLogs is limited to a 10,000 range"),
    (-32602, "Log response size exceeded."),
    (-32000, "exceed maximum block range: 5000"),
    (-32000, "query timeout exceeded"),
]
PATIENCE = [
    (-32005, "daily request count exceeded, request rate limited"),
    (-32029, "Too many requests"),
    (-32007, "50/second request limit reached - reduce calls per second"),
]
LACKS = [
    (-32601, "the method eth_getLogs does not exist/is not available"),
    (-32004, "not supported"),
    (-32000, "method eth_getLogs is not whitelisted"),
    (-32000, "unsupported method"),
]


@pytest.mark.parametrize(("code", "message"), LESS)
def test_a_shorter_range_is_asked_for(code: int, message: str) -> None:
    refusal = RpcRefused(code, message)

    assert asks_for_less(refusal)
    assert not asks_for_patience(refusal)
    assert not lacks_method(refusal)


@pytest.mark.parametrize(("code", "message"), PATIENCE)
def test_patience_is_asked_for(code: int, message: str) -> None:
    refusal = RpcRefused(code, message)

    assert asks_for_patience(refusal)
    assert not asks_for_less(refusal)


@pytest.mark.parametrize(("code", "message"), LACKS)
def test_another_node_is_asked_for(code: int, message: str) -> None:
    refusal = RpcRefused(code, message)

    assert lacks_method(refusal)
    assert not asks_for_patience(refusal)


def test_what_comes_with_status_429_is_about_pace_whatever_it_says() -> None:
    assert asks_for_patience(Throttled(-32005, "limit exceeded"))
    assert not asks_for_less(Throttled(-32005, "limit exceeded"))


def test_time_and_size_ask_for_less_and_silence_for_nothing() -> None:
    assert asks_for_less(TooMuchAsked("no answer within 10 s"))
    for judge in (asks_for_less, asks_for_patience, lacks_method):
        assert not judge(ChainUnavailable("the node does not answer"))
