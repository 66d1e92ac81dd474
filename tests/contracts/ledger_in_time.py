"""What every ledger keeps of time: how it stood before, what is over, what is undone."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.ledger.accounts import PLATFORM_FEES, available, is_constrained, reserved
from domain.ledger.holds import HoldState
from domain.ledger.model import (
    AlreadyReversed,
    Balance,
    InsufficientFunds,
    Transaction,
    balance,
    credit,
    debit,
)
from domain.shared.ids import TransactionId
from domain.shared.money import Money
from ports.unit_of_work import NotFound
from tests.builders import (
    CUSTODY,
    MERCHANT,
    NOON,
    OTHER_MERCHANT,
    USDT,
    a_hold,
    coins,
    earned,
    paid_to,
    usdt,
)
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.accounts import Account
    from domain.ledger.model import BookedTransaction
    from domain.shared.money import AssetId
    from ports.unit_of_work import Begin

MINE = available(MERCHANT)
SOON = timedelta(seconds=1)
_ACCOUNTS = (CUSTODY, PLATFORM_FEES, MINE, reserved(MERCHANT), available(OTHER_MERCHANT))


def moves(seed: int, *, count: int = 25) -> list[Transaction]:
    """Draw transactions between a few accounts, at times in any order; some would overdraw."""
    draw = random.Random(seed)  # noqa: S311 (a repeatable story, no secret)
    found = []
    for place in range(count):
        from_, to = draw.sample(_ACCOUNTS, 2)
        money = draw.choice((usdt, coins))(draw.randint(1, 40))
        found.append(
            Transaction(
                kind="transfer",
                reference=f"move_{seed}",
                postings=(debit(from_, money), credit(to, money)),
                effective_at=NOON + timedelta(minutes=draw.randint(0, count)),
                note=draw.choice((None, f"by hand, {place}")),
            )
        )
    return found


async def story(begin: Begin, seed: int) -> Sequence[BookedTransaction]:
    """Book what can be booked of some moves, and return it."""
    for move in moves(seed):
        try:
            await given(begin, move)
        except InsufficientFunds:
            continue
    async with begin() as work:
        return await work.ledger.transactions(reference=f"move_{seed}")


def summed(booked: Sequence[BookedTransaction]) -> list[Balance]:
    """Add postings up as books are read: the longer way."""
    sums: dict[tuple[Account, AssetId], int] = defaultdict(int)
    for it in booked:
        for posting in it.transaction.postings:
            sums[posting.account, posting.money.asset] += posting.money.amount
    return [
        balance(account, Money(sums[account, asset], asset)) for account, asset in sorted(sums)
    ]


async def reverse(begin: Begin, booked: BookedTransaction) -> None:
    await given(begin, booked.reversal(at=NOON + SOON))


class LedgerInTimeContract(StorageContract):
    @pytest.mark.parametrize("seed", [1, 2, 3])
    async def test_a_balance_then_is_the_sum_of_what_was_booked_till_then(
        self, begin: Begin, seed: int
    ) -> None:
        booked = await story(begin, seed)
        assert len(booked) > 5

        async with begin() as work:
            for it in booked:
                then = [other for other in booked if other.booked_at <= it.booked_at]
                assert await work.ledger.balances(prefix="", booked_by=it.booked_at) == summed(
                    then
                )
                assert all(
                    found.money.amount >= 0
                    for found in summed(then)
                    if is_constrained(found.account)
                )
            before = booked[0].booked_at - SOON
            assert await work.ledger.balances(prefix="", booked_by=before) == []
            assert await work.ledger.balances(
                prefix="", booked_by=booked[-1].booked_at
            ) == await work.ledger.balances(prefix="")

    @pytest.mark.parametrize("seed", [4, 5])
    async def test_a_balance_by_effect_is_the_sum_of_what_took_effect_till_then(
        self, begin: Begin, seed: int
    ) -> None:
        booked = await story(begin, seed)
        middle = booked[len(booked) // 2].booked_at

        async with begin() as work:
            for minute in range(0, 26, 5):
                time = NOON + timedelta(minutes=minute)
                by_then = [it for it in booked if it.transaction.effective_at <= time]
                assert await work.ledger.balances(prefix="", effective_by=time) == summed(by_then)
                known = [it for it in by_then if it.booked_at <= middle]
                assert await work.ledger.balances(
                    prefix="merchant:", effective_by=time, booked_by=middle
                ) == [it for it in summed(known) if it.account.startswith("merchant:")]

    async def test_a_transaction_is_found_by_its_id(self, begin: Begin) -> None:
        booked = await story(begin, 6)

        async with begin() as work:
            for it in booked:
                assert await work.ledger.get(it.id) == it
            with pytest.raises(NotFound) as refusal:
                await work.ledger.get(TransactionId("tx_none"))
        assert (refusal.value.kind, refusal.value.id) == ("transaction", "tx_none")

    @pytest.mark.parametrize("seed", [7, 8])
    async def test_undoing_all_from_the_newest_on_restores_every_balance(
        self, begin: Begin, seed: int
    ) -> None:
        await given(begin, earned(50))
        async with begin() as work:
            before = await work.ledger.balances(prefix="")

        for it in reversed(await story(begin, seed)):
            await reverse(begin, it)

        async with begin() as work:
            after = await work.ledger.balances(prefix="")
            assert [it for it in after if it.money] == before
            assert await work.ledger.unbalanced() == []

    async def test_a_transaction_is_reversed_once(self, begin: Begin) -> None:
        await given(begin, earned(5))
        async with begin() as work:
            [booked] = await work.ledger.transactions(reference="pi_01")
        await reverse(begin, booked)
        await given(begin, earned(5, reference="pi_02"))

        with pytest.raises(AlreadyReversed) as refusal:
            await reverse(begin, booked)

        assert refusal.value.id == booked.id
        async with begin() as work:
            assert await work.ledger.balances(prefix=MINE) == [Balance(MINE, usdt(5))]

    async def test_what_is_booked_together_is_booked_or_refused_together(
        self, begin: Begin
    ) -> None:
        await given(begin, earned(5))

        async def spend_thrice() -> None:
            async with begin() as work:
                await work.ledger.book(*(paid_to(reserved(MERCHANT), n) for n in (2, 3, 1)))
                await work.commit()

        with pytest.raises(InsufficientFunds):
            await spend_thrice()

        async with begin() as work:
            assert await work.ledger.balances(prefix="merchant:") == [Balance(MINE, usdt(5))]
            assert await work.ledger.transactions(reference="po_01") == []

    async def test_what_took_effect_between_two_times_comes_in_that_order(
        self, begin: Begin
    ) -> None:
        booked = await story(begin, 9)
        touching = [
            it
            for it in sorted(booked, key=lambda it: it.transaction.effective_at)
            if any(
                (posting.account, posting.money.asset) == (CUSTODY, USDT.id)
                for posting in it.transaction.postings
            )
        ]
        after, until = NOON + timedelta(minutes=5), NOON + timedelta(minutes=15)

        async with begin() as work:

            async def found(**changes: object) -> Sequence[BookedTransaction]:
                asked = {"after": None, "until": None, "limit": 100, **changes}
                return await work.ledger.taking_effect(CUSTODY, USDT.id, **asked)  # type: ignore[arg-type] # Of its own types.

            assert touching
            assert await found() == touching
            assert await found(limit=2) == touching[:2]
            assert await found(after=after, until=until) == [
                it for it in touching if after < it.transaction.effective_at <= until
            ]

    async def test_holds_lapse_when_their_time_is_over(self, begin: Begin) -> None:
        def ending(minutes: int, **changes: object) -> object:
            return a_hold(
                f"hold_{minutes}", expires_at=NOON + timedelta(minutes=minutes), **changes
            )

        await given(
            begin,
            ending(3),
            ending(1),
            ending(2, state=HoldState.POSTED),
            ending(4),
            a_hold("hold_endless", expires_at=None),
        )

        async with begin() as work:
            at = NOON + timedelta(minutes=3)
            assert await work.ledger.lapsed_holds(at=at, limit=9) == ["hold_1", "hold_3"]
            assert await work.ledger.lapsed_holds(at=at, limit=1) == ["hold_1"]
            assert await work.ledger.lapsed_holds(at=NOON, limit=9) == []
