from __future__ import annotations

import pytest
from eth_abi.abi import encode

from adapters.uniswap_v2.failures import failure_of, is_silent
from adapters.uniswap_v2.requests import CallRefused
from domain.conversions.swaps import Cause, SwapFailure


def reverted(text: str, *, wrapping: str = "{}") -> CallRefused:
    data = "0x08c379a0" + encode(["string"], [text]).hex()
    return CallRefused("execution reverted", data=wrapping.format(data), reverted=True)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("UniswapV2Router: EXPIRED", Cause.DEADLINE),
        ("PancakeRouter: EXPIRED", Cause.DEADLINE),
        ("UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT", Cause.SLIPPAGE),
        ("PancakeRouter: INSUFFICIENT_OUTPUT_AMOUNT", Cause.SLIPPAGE),
        ("UniswapV2Library: INSUFFICIENT_LIQUIDITY", Cause.LIQUIDITY),
        ("UniswapV2: INSUFFICIENT_LIQUIDITY", Cause.LIQUIDITY),
        ("UniswapV2: OVERFLOW", Cause.LIQUIDITY),
        ("UniswapV2: K", Cause.TRANSFER_FEE),
        ("Pancake: K", Cause.TRANSFER_FEE),
        ("TransferHelper: TRANSFER_FROM_FAILED", Cause.FUNDS),
        ("UniswapV2Router: INVALID_PATH", Cause.NO_ROUTE),
        ("UniswapV2: LOCKED", Cause.REVERTED),
        ("SomeToken: EXPIRED", Cause.REVERTED),
        ("EXPIRED", Cause.REVERTED),
        ("", Cause.REVERTED),
    ],
)
def test_the_contracts_words_tell_the_cause(text: str, cause: Cause) -> None:
    assert failure_of(reverted(text)) == SwapFailure(cause, text)
    assert failure_of(reverted(text, wrapping="Reverted {}")) == SwapFailure(cause, text)
    assert not is_silent(reverted(text))


def test_long_and_broken_texts_are_cut() -> None:
    failure = failure_of(reverted("x" * 10_000))
    assert failure == SwapFailure(Cause.REVERTED, "x" * 200)
    cut = CallRefused("execution reverted", data="0x08c379a0ff", reverted=True)
    assert failure_of(cut) == SwapFailure(Cause.REVERTED, "")


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("insufficient funds for gas * price + value: have 1 want 2", Cause.FUNDS),
        ("out of gas", Cause.GAS),
        ("gas required exceeds allowance (100)", Cause.GAS),
    ],
)
def test_the_nodes_words_tell_of_money_and_gas(words: str, cause: Cause) -> None:
    refusal = CallRefused(words, data=None, reverted=False)
    assert failure_of(refusal) == SwapFailure(cause, words)


def test_a_contract_that_says_nothing_has_refused_still() -> None:
    silent = CallRefused("execution reverted", data="0x", reverted=True)
    assert is_silent(silent)
    assert failure_of(silent) == SwapFailure(Cause.REVERTED, "execution reverted")


def test_a_node_that_cannot_run_it_says_nothing_of_the_swap() -> None:
    assert failure_of(CallRefused("missing trie node", data=None, reverted=False)) is None
