"""What is sent, judged by eth_abi and by selectors that everybody knows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from eth_abi.abi import decode, encode
from hypothesis import given
from hypothesis import strategies as st

from adapters.uniswap_v2 import abi
from adapters.uniswap_v2.router import approvals, swap_transaction
from adapters.uniswap_v2.settings import NotOnThisExchange
from domain.conversions.pools import Path
from domain.conversions.swaps import Cause, Purpose, Swap
from domain.shared.money import AssetId, Money
from ports.exchange import SwapRefused
from tests.adapters.uniswap_v2.scripted import HIGH, LOW, ROUTER, SETTINGS, WRAPPED_AT
from tests.builders import COIN, NOON, OTHER_CHAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

OWNER, RECIPIENT = "0x" + "a" * 40, "0x" + "b" * 40
SECONDS = 1_772_366_400
"""`NOON`, in Unix seconds."""

addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
numbers = st.integers(min_value=0, max_value=2**256 - 1)


def a_swap(*assets: AssetId, **changes: Any) -> Swap:  # noqa: ANN401 - any field
    usual = Swap(
        money_in=Money(10**6, assets[0]),
        minimum_out=Money(990_000, assets[-1]),
        path=Path(assets),
        deadline=NOON + timedelta(milliseconds=900),
        sender=OWNER,
        recipient=RECIPIENT,
    )
    return attrs.evolve(usual, **changes)


def token(asset: AssetId) -> str:
    return asset.rpartition(":")[2]


@given(numbers, numbers, st.lists(addresses, max_size=5), addresses, numbers)
def test_swaps_are_encoded_as_the_abi_says(
    amount: int, least: int, route: Sequence[str], recipient: str, deadline: int
) -> None:
    types = ["uint256", "address[]", "address", "uint256"]
    for amount_in, function, words in (
        (amount, abi.SWAP_TOKENS, ["uint256", *types]),
        (None, abi.SWAP_COIN, types),
    ):
        data = abi.swap_call(
            function, amount_in=amount_in, minimum_out=least,
            route=route, recipient=recipient, deadline=deadline,
        )  # fmt: skip
        values = [] if amount_in is None else [amount_in]
        assert data == function + encode(words, [*values, least, route, recipient, deadline])


@given(addresses, addresses, numbers)
def test_other_calls_are_encoded_as_the_abi_says(one: str, other: str, amount: int) -> None:
    both = encode(["address", "address"], [one, other])
    assert abi.pair_call(one, other) == abi.GET_PAIR + both
    assert abi.allowance_call(one, other) == abi.ALLOWANCE + both
    approval = encode(["address", "uint256"], [one, amount])
    assert abi.approve_call(one, amount) == abi.APPROVE + approval


def test_the_selectors_are_those_that_everybody_knows() -> None:
    assert {
        "38ed1739": abi.SWAP_TOKENS,
        "18cbafe5": abi.SWAP_TOKENS_FOR_COIN,
        "7ff36ab5": abi.SWAP_COIN,
        "095ea7b3": abi.APPROVE,
        "dd62ed3e": abi.ALLOWANCE,
        "e6a43905": abi.GET_PAIR,
        "0902f1ac": abi.GET_RESERVES,
        "c45a0155": abi.FACTORY,
        "ad5c4648": abi.WRAPPED,
    }.items() == {
        function.hex(): function
        for function in (
            abi.SWAP_TOKENS, abi.SWAP_TOKENS_FOR_COIN, abi.SWAP_COIN, abi.APPROVE, abi.ALLOWANCE,
            abi.GET_PAIR, abi.GET_RESERVES, abi.FACTORY, abi.WRAPPED,
        )
    }.items()  # fmt: skip
    assert abi.TRANSFER_EVENT[:10] == "0xddf252ad"
    assert abi.SWAP_EVENT[:10] == "0xd78ad95f"
    assert abi.DEPOSIT_EVENT[:10] == "0xe1fffcc4"
    assert abi.WITHDRAWAL_EVENT[:10] == "0x7fcf532c"


@pytest.mark.parametrize(
    ("assets", "function", "value"),
    [
        ((LOW, HIGH), abi.SWAP_TOKENS, 0),
        ((LOW, COIN.id, HIGH), abi.SWAP_TOKENS, 0),
        ((LOW, HIGH, COIN.id), abi.SWAP_TOKENS_FOR_COIN, 0),
        ((COIN.id, HIGH), abi.SWAP_COIN, 10**6),
    ],
)
def test_the_coin_decides_which_swap_it_is(
    assets: tuple[AssetId, ...], function: bytes, value: int
) -> None:
    call = swap_transaction(a_swap(*assets), exchange=SETTINGS)
    assert (call.purpose, call.sender, call.target) == (Purpose.SWAP, OWNER, ROUTER)
    assert (call.data[:4], call.value) == (function, value)
    words = ["uint256", "address[]", "address", "uint256"]
    *amounts, least, route, recipient, deadline = decode(
        words if value else ["uint256", *words], call.data[4:]
    )
    assert amounts == ([] if value else [10**6])
    assert (least, recipient, deadline) == (990_000, RECIPIENT, SECONDS)
    assert list(route) == [WRAPPED_AT if asset == COIN.id else token(asset) for asset in assets]


def test_what_the_router_cannot_express_is_refused() -> None:
    wrapped = AssetId(f"eip155:31337/erc20:{WRAPPED_AT}")
    elsewhere = AssetId(f"{OTHER_CHAIN}/erc20:0x{'1' * 40}")
    for swap in (
        a_swap(COIN.id, wrapped),
        a_swap(COIN.id, HIGH, wrapped),
        a_swap(LOW, elsewhere),
        a_swap(LOW, HIGH, recipient="0xABC"),
        a_swap(LOW, HIGH, sender=OWNER.upper()),
    ):
        with pytest.raises(SwapRefused) as caught:
            swap_transaction(swap, exchange=SETTINGS)
        assert caught.value.failure.cause == Cause.NO_ROUTE


def test_approvals_are_exact_and_change_by_way_of_zero() -> None:
    swap = a_swap(LOW, HIGH)
    for allowed, amounts in ((0, [10**6]), (10**6, []), (1, [0, 10**6]), (2**255, [0, 10**6])):
        calls = approvals(swap, allowed=allowed, exchange=SETTINGS)
        assert [call.data for call in calls] == [abi.approve_call(ROUTER, n) for n in amounts]
        assert {(call.sender, call.target, call.value) for call in calls} <= {
            (OWNER, token(LOW), 0)
        }
    assert approvals(a_swap(COIN.id, HIGH), allowed=0, exchange=SETTINGS) == ()


@pytest.mark.parametrize(
    "changes",
    [{"router": ROUTER.upper()}, {"fee_bps": 10_000}, {"fee_limit_wei": 0}, {"name": ""}],
)
def test_settings_are_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|length|match"):
        attrs.evolve(SETTINGS, **changes)


def test_an_asset_of_another_chain_is_none_of_this_exchange() -> None:
    with pytest.raises(NotOnThisExchange):
        SETTINGS.token_of(AssetId(f"{OTHER_CHAIN}/slip44:60"))
