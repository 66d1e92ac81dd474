"""Amounts come from events, and events count only from the contract they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.uniswap_v2.abi import (
    DEPOSIT_EVENT,
    SWAP_EVENT,
    TRANSFER_EVENT,
    WITHDRAWAL_EVENT,
    address_word,
    uint_word,
)
from adapters.uniswap_v2.receipts import Amounts, amounts_of
from adapters.uniswap_v2.requests import Log
from tests.adapters.uniswap_v2.scripted import HIGH, LOW, PAIR, ROUTER, SETTINGS, WRAPPED_AT
from tests.adapters.uniswap_v2.test_calldata import OWNER, RECIPIENT, a_swap, token
from tests.builders import COIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.conversions.swaps import Swap

SWAP = a_swap(LOW, HIGH)
STRANGER = "0x" + "d" * 40


def log(emitter: str, event: str, *parties: str, amounts: Sequence[int]) -> Log:
    topics = (event, *("0x" + address_word(party).hex() for party in parties))
    data = "0x" + b"".join(map(uint_word, amounts)).hex()
    return Log(address=emitter.upper().replace("0X", "0x"), topics=topics, data=data)


def transfer(asset_at: str, source: str, target: str, amount: int) -> Log:
    return log(asset_at, TRANSFER_EVENT, source, target, amounts=[amount])


PAID_IN = transfer(token(LOW), OWNER, PAIR, 10**6)
PAID_OUT = transfer(token(HIGH), PAIR, RECIPIENT, 995_000)
SWAPPED = log(PAIR, SWAP_EVENT, ROUTER, RECIPIENT, amounts=[10**6, 0, 0, 995_000])


def read(logs: Sequence[Log], swap: Swap = SWAP) -> Amounts | None:
    return amounts_of(logs, swap=swap, pairs=[PAIR], exchange=SETTINGS)


def test_a_swap_is_three_events() -> None:
    assert read([PAID_IN, PAID_OUT, SWAPPED]) == Amounts(10**6, 995_000, 995_000)


def test_what_a_token_keeps_is_seen() -> None:
    less = transfer(token(HIGH), PAIR, RECIPIENT, 985_050)
    assert read([PAID_IN, less, SWAPPED]) == Amounts(10**6, 995_000, 985_050)
    assert read([PAID_IN, SWAPPED]) == Amounts(10**6, 995_000, 0)


def test_nobody_elses_events_count() -> None:
    noise = [
        transfer(STRANGER, PAIR, RECIPIENT, 7),
        transfer(token(HIGH), STRANGER, RECIPIENT, 7),
        transfer(token(HIGH), PAIR, STRANGER, 7),
        transfer(token(LOW), STRANGER, PAIR, 7),
        log(STRANGER, SWAP_EVENT, ROUTER, RECIPIENT, amounts=[7, 0, 0, 7]),
        log(PAIR, SWAP_EVENT, ROUTER, STRANGER, amounts=[7, 0, 0, 7]),
        log(PAIR, SWAP_EVENT, ROUTER, RECIPIENT, amounts=[7, 0, 7]),
        log(PAIR, SWAP_EVENT, RECIPIENT, amounts=[7, 0, 0, 7]),
        log(token(HIGH), TRANSFER_EVENT, PAIR, amounts=[7]),
        log(token(HIGH), TRANSFER_EVENT, PAIR, RECIPIENT, amounts=[7, 7]),
        Log(address=PAIR, topics=(), data="0x"),
        Log(address=token(HIGH), topics=PAID_OUT.topics, data="0x07"),
    ]
    assert read([*noise, PAID_IN, *noise, PAID_OUT, SWAPPED]) == Amounts(10**6, 995_000, 995_000)


def test_without_its_events_it_is_not_this_swap() -> None:
    assert read([]) is None
    assert read([PAID_IN, PAID_OUT]) is None
    assert read([PAID_OUT, SWAPPED]) is None


def test_the_coin_is_told_by_its_token() -> None:
    wrapped = log(WRAPPED_AT, DEPOSIT_EVENT, ROUTER, amounts=[10**6])
    bought = a_swap(COIN.id, HIGH)
    assert read([wrapped, PAID_OUT, SWAPPED], bought) == Amounts(10**6, 995_000, 995_000)
    foreign = log(WRAPPED_AT, DEPOSIT_EVENT, STRANGER, amounts=[10**6])
    assert read([foreign, PAID_OUT, SWAPPED], bought) is None

    swapped = log(PAIR, SWAP_EVENT, ROUTER, ROUTER, amounts=[10**6, 0, 0, 995_000])
    unwrapped = log(WRAPPED_AT, WITHDRAWAL_EVENT, ROUTER, amounts=[995_000])
    sold = a_swap(LOW, COIN.id)
    assert read([PAID_IN, swapped, unwrapped], sold) == Amounts(10**6, 995_000, 995_000)
