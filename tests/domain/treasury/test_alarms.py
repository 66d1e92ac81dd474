"""What operators are told of wallets: once, and what there is to be seen at any time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.ledger.accounts import WORLD
from domain.ledger.model import Transaction, credit, debit
from domain.shared.money import Assets
from domain.treasury.model import Alarm, Condition, Watched
from domain.treasury.view import view_holdings, view_tank
from tests.builders import CHAIN, COIN, USDT, coins, usdt
from tests.domain.scene import ASSETS, DUE, GAS, HOT, NET, OTHER_TOKEN, PAYER
from tests.domain.sweeping import FEE, FUNDED, paid, swept
from tests.domain.vault import COLD, HOT_MIN, HOT_TARGET, UNIT, WITH_COLD, new_vault

if TYPE_CHECKING:
    from domain.ledger.accounts import Account
    from domain.shared.money import Money
    from domain.treasury.overview import Holdings
    from tests.domain.vault import Vault


@pytest.fixture
async def vault() -> Vault:
    return await new_vault()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "domain.treasury.service")
    return caplog


def lines(told: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(it.levelno, it.getMessage()) for it in told.records if "treasury" in it.name]


async def of_token(vault: Vault) -> Holdings:
    [found] = [it for it in await vault.treasury.holdings() if it.asset == USDT.id]
    return found


async def brought_in(vault: Vault, money: Money, account: Account) -> None:
    """Book what an operator has put into the hot wallet, or taken out of it."""
    moved = (debit(account, money), credit(WORLD, money))
    async with vault.begin() as work:
        at = vault.world.clock.now()
        await work.ledger.book(Transaction("brought_in", "by hand", moved, at))
        await work.commit()


async def left_in_tank(vault: Vault, amount: int) -> None:
    """Have an operator leave so much in the gas tank."""
    there = await vault.booked(WITH_COLD.gas, COIN.id)
    await brought_in(vault, coins(amount - there), WITH_COLD.gas)


class TestHotWallet:
    async def test_low_is_told_once_and_full_enough_once(
        self, vault: Vault, told: pytest.LogCaptureFixture
    ) -> None:
        await vault.gift(300 * UNIT)
        await vault.moved()
        assert lines(told) == []
        since = vault.world.clock.now()
        gone = usdt(HOT_TARGET - HOT_MIN + 1)
        vault.world.chain.transfer(gone, source=HOT, target=PAYER)
        await vault.world.settle_down()
        await brought_in(vault, -gone, WITH_COLD.hot)

        for _ in range(3):
            await vault.rebalance()

        assert await vault.alarm() == Alarm(Watched.HOT, USDT.id, Condition.LOW, since)
        [(level, line)] = lines(told)
        assert level == logging.WARNING
        assert line == (
            f"hot wallet's {USDT.id} is low: 19.999999999999999999 USDT can be paid out;"
            " bring 20.000000000000000001 USDT from the cold wallet"
        )
        assert (await of_token(vault)).bring == HOT_TARGET - HOT_MIN + 1
        await vault.bring_back(HOT_TARGET - HOT_MIN)
        await vault.rebalance()
        assert len(lines(told)) == 1
        await vault.bring_back(1)
        await vault.rebalance()
        (_, (level, line)) = lines(told)
        assert (level, " is ok: " in line) == (logging.INFO, True)
        assert (await of_token(vault)).bring == 0
        await vault.must_be_right()


class TestGasTank:
    async def test_low_empty_and_full_are_told_once_each(
        self, vault: Vault, told: pytest.LogCaptureFixture
    ) -> None:
        assert (await vault.treasury.check_tank(chain=CHAIN)) is not None
        assert lines(told) == []
        for _ in range(4):
            await paid(vault.world)
            await swept(vault.world)
        found = await vault.treasury.check_tank(chain=CHAIN)
        assert found is not None
        assert found.tank.spent == GAS - await vault.booked(WITH_COLD.gas, COIN.id)
        # Four times the fee of funding, and what each address was given for its own.
        assert found.tank.per_day == found.tank.spent == 4 * (FEE + FUNDED)
        assert found.tank.days_left == found.tank.held // found.tank.spent > 100
        assert found.alarm is None

        poor = {3: Condition.LOW, 0: Condition.EMPTY}
        for days, condition in poor.items():
            await left_in_tank(vault, days * found.tank.per_day + 2)
            for _ in range(2):
                now = await vault.treasury.check_tank(chain=CHAIN)
                assert now is not None
                assert now.alarm is not None
                assert (now.tank.days_left, now.alarm.condition) == (days, condition)
        assert [level for level, _ in lines(told)] == [logging.WARNING] * 2
        assert lines(told)[0][1].startswith(f"gas tank of {CHAIN} is low: 0.0000")
        await left_in_tank(vault, 8 * found.tank.per_day)
        await vault.treasury.check_tank(chain=CHAIN)
        assert lines(told)[2][1].startswith(f"gas tank of {CHAIN} is ok: 0.0000")
        now_ok = Alarm(Watched.GAS, COIN.id, Condition.OK, vault.world.clock.now())
        assert await vault.alarm(Watched.GAS) == now_ok

    async def test_what_was_spent_long_ago_is_no_pace(self, vault: Vault) -> None:
        await paid(vault.world)
        await swept(vault.world)
        vault.world.clock.advance(hours=24 * 10 + 1)

        [found] = await vault.treasury.gas_tanks()

        assert (found.tank.spent, found.tank.days_left) == (0, None)

    async def test_a_coin_that_is_not_listed_is_told_in_smallest_units(
        self, vault: Vault, told: pytest.LogCaptureFixture
    ) -> None:
        treasury = attrs.evolve(vault.treasury, assets=Assets.of([USDT]))
        await left_in_tank(vault, 7)

        found = await treasury.check_tank(chain=CHAIN)

        assert found is not None
        [(_, line)] = lines(told)
        assert line == f"gas tank of {CHAIN} is low: 7 of {COIN.id}; 0 of {COIN.id} a day"
        view = view_tank(found, treasury.assets)
        assert view["held"] == {"asset": COIN.id, "amount": "7", "decimal": None, "symbol": None}

    async def test_of_a_chain_that_nobody_watches_nothing_is_told(self, vault: Vault) -> None:
        without = attrs.evolve(vault.treasury, tanks={})

        assert await without.check_tank(chain=CHAIN) is None
        assert await without.gas_tanks() == []


class TestHoldings:
    async def test_all_there_is_is_shown_and_what_is_unswept_as_such(self, vault: Vault) -> None:
        first = await paid(vault.world)
        vault.world.clock.advance(hours=1)
        await paid(vault.world)
        await vault.gift(300 * UNIT)
        [transfer] = await vault.rebalance()

        shown = view_holdings(await of_token(vault), ASSETS)

        def money(amount: int) -> dict[str, str]:
            return {
                "asset": USDT.id,
                "amount": str(amount),
                "decimal": USDT.render(amount),
                "symbol": "USDT",
            }

        assert shown["hot"] == money(300 * UNIT)
        assert shown["can_be_paid_out"] == money(2 * NET)
        assert shown["owed"] == money(2 * NET)
        assert shown["cold"] == money(0)
        assert shown["deposits"] == money(2 * DUE)
        oldest = first.created_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        assert shown["unswept"] == {
            **money(2 * DUE),
            "addresses": 2,
            "oldest_address_at": oldest,
        }
        moving = shown["moving_to_cold"]
        assert isinstance(moving, dict)
        assert (moving["id"], moving["target"]) == (transfer.id, COLD)
        assert moving["amount"] == str(300 * UNIT - 2 * NET)
        assert (shown["condition"], shown["since"]) == ("ok", None)
        await vault.world.send_and_settle_down()
        assert view_holdings(await of_token(vault), ASSETS)["moving_to_cold"] is None

    async def test_every_asset_of_a_chain_is_shown_and_no_other(self, vault: Vault) -> None:
        found = {it.asset: it for it in await vault.treasury.holdings()}

        assert set(found) == {USDT.id, COIN.id, OTHER_TOKEN.id}
        assert found[COIN.id].hot == GAS
        empty = view_holdings(found[OTHER_TOKEN.id], ASSETS)
        assert (empty["moving_to_cold"], empty["bring_from_cold"]) == (
            None,
            {"asset": OTHER_TOKEN.id, "amount": "0", "decimal": "0.000000", "symbol": "EURX"},
        )
