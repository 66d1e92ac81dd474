"""Usual quotes and swaps, with what the test is about changed by name."""

# The fields that a builder is told to change are of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs

from domain.chains.model import Block
from domain.conversions.model import Conversion, ConversionId
from domain.conversions.pools import Path, Pool, output_through, price_impact_bps
from domain.conversions.quotes import Quote
from domain.conversions.swaps import Cause, Swap, SwapFailed, SwapFailure, Swapped
from domain.shared.money import AssetId, Money
from tests.builders import CHAIN, NOON, hash_of

ONE, TWO = (AssetId(f"{CHAIN}/erc20:0x{digit * 40}") for digit in "12")
OWNER, RECIPIENT = "0x" + "a" * 40, "0x" + "b" * 40


def a_quote(**changes: Any) -> Quote:
    pool = Pool(
        id="0x" + "9" * 40,
        reserve_in=Money(10**9, ONE),
        reserve_out=Money(10**9, TWO),
        fee_bps=30,
    )
    money = Money(10**6, ONE)
    given = output_through([pool], money)
    usual = Quote(
        exchange="memory",
        money_in=money,
        money_out=given,
        path=Path((ONE, TWO)),
        pools=(pool,),
        price_impact_bps=price_impact_bps([pool], money_in=money, money_out=given),
        block=Block(7, hash_of("block"), hash_of("parent"), NOON - timedelta(seconds=5)),
        taken_at=NOON,
    )
    return attrs.evolve(usual, **changes)


def a_swap(**changes: Any) -> Swap:
    quote = a_quote()
    usual = Swap(
        money_in=quote.money_in,
        minimum_out=quote.minimum_out(slippage_bps=50),
        path=quote.path,
        deadline=NOON + timedelta(minutes=3),
        sender=OWNER,
        recipient=RECIPIENT,
    )
    return attrs.evolve(usual, **changes)


def a_conversion(**changes: Any) -> Conversion:
    usual = Conversion.open(id=ConversionId("cnv_01"), quote=a_quote(), at=NOON)
    return attrs.evolve(usual, **changes)


def swapped(**changes: Any) -> Swapped:
    quote = a_quote()
    usual = Swapped(
        transaction=hash_of("swap"),
        spent=quote.money_in,
        given=quote.money_out,
        received=quote.money_out,
        block_number=9,
        block_hash=hash_of("later"),
    )
    return attrs.evolve(usual, **changes)


def failed() -> SwapFailed:
    return SwapFailed(
        transaction=hash_of("swap"),
        failure=SwapFailure(Cause.SLIPPAGE, "INSUFFICIENT_OUTPUT_AMOUNT"),
        block_number=9,
        block_hash=hash_of("later"),
    )
