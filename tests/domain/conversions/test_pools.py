"""Whatever is swapped: the product never falls, more gives more, and fractions are the pool's."""

from __future__ import annotations

from fractions import Fraction

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.conversions.pools import (
    NotAPath,
    Path,
    Pool,
    PoolTooSmall,
    input_through,
    output_through,
    paths_between,
    price_impact_bps,
)
from domain.shared.money import AssetId, AssetMismatch, Money
from tests.builders import CHAIN

ONE, TWO, HUB, OTHER = (AssetId(f"{CHAIN}/erc20:0x{digit * 40}") for digit in "1234")
UINT112_MAX = 2**112 - 1

amounts = st.integers(min_value=1, max_value=2**111)
fees = st.integers(min_value=0, max_value=9_999)
pools = st.builds(
    lambda held, offered, fee: pool(held, offered, fee_bps=fee), amounts, amounts, fees
)


def pool(held: int, offered: int, *, fee_bps: int = 30) -> Pool:
    return Pool(
        id="0x" + "9" * 40,
        reserve_in=Money(held, ONE),
        reserve_out=Money(offered, TWO),
        fee_bps=fee_bps,
        capacity=UINT112_MAX,
    )


def product(pool: Pool) -> int:
    return pool.reserve_in.amount * pool.reserve_out.amount


@given(pools, amounts)
def test_the_product_never_falls(pool: Pool, amount: int) -> None:
    try:
        after = pool.after(Money(amount, ONE))
    except PoolTooSmall:
        assume(False)  # noqa: FBT003 - hypothesis
    # The pair's own check counts what came in less the fee (UniswapV2Pair.swap: K).
    net = after.reserve_in.amount * 10_000 - amount * pool.fee_bps
    assert net * after.reserve_out.amount >= product(pool) * 10_000
    assert after.reserve_out.amount > 0


@given(pools, amounts, amounts)
def test_more_gives_no_less(pool: Pool, amount: int, more: int) -> None:
    try:
        little = pool.output_of(Money(amount, ONE))
        much = pool.output_of(Money(amount + more, ONE))
    except PoolTooSmall:
        assume(False)  # noqa: FBT003 - hypothesis
    assert little <= much < pool.reserve_out


@given(pools, amounts)
def test_a_fraction_is_rounded_against_us_by_less_than_one_unit(pool: Pool, amount: int) -> None:
    try:
        given = pool.output_of(Money(amount, ONE))
    except PoolTooSmall:
        assume(False)  # noqa: FBT003 - hypothesis
    net = Fraction(amount * (10_000 - pool.fee_bps), 10_000)
    exact = net * pool.reserve_out.amount / (pool.reserve_in.amount + net)
    assert given.amount <= exact < given.amount + 1


@given(pools, amounts)
def test_an_exact_output_is_reached_and_there_is_no_way_back_with_a_gain(
    pool: Pool, wanted: int
) -> None:
    money = Money(wanted, TWO)
    try:
        taken = pool.input_for(money)
    except PoolTooSmall:
        assume(False)  # noqa: FBT003 - hypothesis
    assert pool.output_of(taken) >= money
    # The contract adds one after rounding down, so one unit too many may be asked, never two.
    if taken.amount > 2:
        try:
            assert pool.output_of(taken - Money(2, ONE)) < money
        except PoolTooSmall:
            assert money.amount >= 1
    back = pool.after(taken).reversed()
    try:
        assert back.output_of(money) <= taken
    except PoolTooSmall:
        assert money.amount > 0


@given(pools, pools, amounts)
def test_through_two_pools_an_output_is_reached(first: Pool, second: Pool, wanted: int) -> None:
    chain = (
        attrs.evolve(first, reserve_out=Money(first.reserve_out.amount, HUB)),
        attrs.evolve(second, reserve_in=Money(second.reserve_in.amount, HUB)),
    )
    try:
        taken = input_through(chain, Money(wanted, TWO))
    except PoolTooSmall:
        assume(False)  # noqa: FBT003 - hypothesis
    assert output_through(chain, taken) >= Money(wanted, TWO)


@given(pools, amounts)
def test_the_impact_is_a_part_of_a_whole(pool: Pool, amount: int) -> None:
    money = Money(amount, ONE)
    try:
        given = pool.output_of(money)
    except PoolTooSmall:
        assume(False)  # noqa: FBT003 - hypothesis
    assert 0 <= price_impact_bps([pool], money_in=money, money_out=given) <= 10_000


def test_the_impact_leaves_the_fee_out_and_is_rounded_up() -> None:
    deep = pool(10**24, 10**24)
    # A ten-thousandth of the pool moves its price by as much: 0.9970 basis points.
    money = Money(10**20, ONE)
    assert price_impact_bps([deep], money_in=money, money_out=deep.output_of(money)) == 1
    money = Money(10**24, ONE)
    assert price_impact_bps([deep], money_in=money, money_out=deep.output_of(money)) == 4_993


def test_the_figures_are_uniswaps() -> None:
    # v2-core, test/UniswapV2Pair.spec.ts: getInputPrice, in ethers.
    for held, offered, amount, expected in (
        (5, 10, 1, 1_662_497_915_624_478_906),
        (10, 5, 1, 453_305_446_940_074_565),
        (5, 10, 2, 2_851_015_155_847_869_602),
        (10, 5, 2, 831_248_957_812_239_453),
        (10, 10, 1, 906_610_893_880_149_131),
        (100, 100, 1, 987_158_034_397_061_298),
        (1_000, 1_000, 1, 996_006_981_039_903_216),
    ):
        ether = 10**18
        given = pool(held * ether, offered * ether).output_of(Money(amount * ether, ONE))
        assert given == Money(expected, TWO)


def test_pancakes_fee_is_smaller() -> None:
    money = Money(10**6, ONE)
    uniswap, pancake = (pool(10**12, 10**12, fee_bps=fee).output_of(money) for fee in (30, 25))
    assert (uniswap.amount, pancake.amount) == (996_999, 997_499)


@pytest.mark.parametrize(
    ("held", "offered", "amount"),
    [(0, 0, 10), (100, 100, 0), (100, 100, 1), (10, 10, -1), (100, 100, UINT112_MAX - 99)],
)
def test_what_a_pool_cannot_do_it_refuses(held: int, offered: int, amount: int) -> None:
    with pytest.raises(PoolTooSmall):
        pool(held, offered).output_of(Money(amount, ONE))


@pytest.mark.parametrize("amount", [0, -1, 100, 101])
def test_a_pool_never_gives_all_it_has(amount: int) -> None:
    with pytest.raises(PoolTooSmall):
        pool(100, 100).input_for(Money(amount, TWO))


def test_what_a_pool_could_not_hold_it_does_not_take() -> None:
    with pytest.raises(PoolTooSmall):
        pool(UINT112_MAX - 10, 1_000).input_for(Money(999, TWO))


def test_a_pool_is_of_its_two_assets() -> None:
    with pytest.raises(AssetMismatch):
        pool(100, 100).output_of(Money(10, TWO))
    with pytest.raises(AssetMismatch):
        pool(100, 100).input_for(Money(10, ONE))


def test_paths_go_straight_or_over_one_hub() -> None:
    paths = paths_between(ONE, TWO, hubs=[HUB, ONE, OTHER])
    assert [path.assets for path in paths] == [(ONE, TWO), (ONE, HUB, TWO), (ONE, OTHER, TWO)]
    assert paths[1].steps == ((ONE, HUB), (HUB, TWO))
    assert (paths[1].source, paths[1].target) == (ONE, TWO)


@pytest.mark.parametrize("assets", [(), (ONE,), (ONE, ONE), (ONE, TWO, ONE)])
def test_a_path_leads_somewhere_else_and_never_back(assets: tuple[AssetId, ...]) -> None:
    with pytest.raises(NotAPath):
        Path(assets)
