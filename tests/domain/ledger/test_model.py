from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.accounts import (
    NETWORK_FEES,
    PAYOUTS_IN_FLIGHT,
    PLATFORM_FEES,
    WORLD,
    Account,
    NotInChart,
    Side,
    available,
    custody,
    escrow,
    gas,
    is_constrained,
    pending,
    reserved,
    side,
    suspense,
)
from domain.ledger.model import (
    OF_HOLDS,
    Balance,
    BookedTransaction,
    EmptyTransaction,
    NotReversible,
    Transaction,
    Unbalanced,
    balance,
    credit,
    debit,
    movement,
)
from domain.shared.ids import EscrowId, TransactionId
from domain.shared.money import Money
from tests.builders import CHAIN, COIN, CUSTODY, MERCHANT, NOON, USDT, coins, usdt

if TYPE_CHECKING:
    from domain.ledger.model import (
        Posting,
    )
    from domain.shared.money import AssetId

SIDES = {
    WORLD: Side.DEBIT,
    CUSTODY: Side.DEBIT,
    gas(CHAIN): Side.DEBIT,
    NETWORK_FEES: Side.DEBIT,
    available(MERCHANT): Side.CREDIT,
    pending(MERCHANT): Side.CREDIT,
    reserved(MERCHANT): Side.CREDIT,
    escrow(EscrowId("0xe5")): Side.CREDIT,
    Account("customer:cus_1:available"): Side.CREDIT,
    PAYOUTS_IN_FLIGHT: Side.CREDIT,
    PLATFORM_FEES: Side.CREDIT,
    suspense("evm"): Side.CREDIT,
}
accounts = st.sampled_from(sorted(SIDES))
amounts = st.integers(1, 2**200)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Draw a transaction of one to eight movements of two assets."""
    postings: list[Posting] = []
    for _ in range(draw(st.integers(1, 8))):
        money = Money(draw(amounts), draw(st.sampled_from([USDT.id, COIN.id])))
        postings += [debit(draw(accounts), money), credit(draw(accounts), money)]
    return Transaction(
        kind="drawn", reference="pi_01", postings=tuple(postings), effective_at=NOON
    )


def sums(transaction: Transaction) -> dict[tuple[Account, AssetId], int]:
    found: dict[tuple[Account, AssetId], int] = {}
    for posting in transaction.postings:
        key = posting.account, posting.money.asset
        found[key] = found.get(key, 0) + posting.money.amount
    return found


@pytest.mark.parametrize(("account", "grows"), SIDES.items())
def test_every_account_of_the_chart_has_its_side(account: Account, grows: Side) -> None:
    assert side(account) is grows


def test_promises_to_somebody_are_constrained_and_nothing_else_is() -> None:
    assert {account for account in SIDES if is_constrained(account)} == {
        available(MERCHANT),
        pending(MERCHANT),
        reserved(MERCHANT),
        escrow(EscrowId("0xe5")),
        Account("customer:cus_1:available"),
    }


@pytest.mark.parametrize("name", ["", "fees", "fees:tips", "assets:evm", "Merchant:mer_1"])
def test_there_are_no_other_accounts(name: str) -> None:
    with pytest.raises(NotInChart):
        side(Account(name))
    with pytest.raises(NotInChart):
        Transaction(
            kind="x",
            reference="pi_01",
            postings=(debit(Account(name), usdt(1)), credit(WORLD, usdt(1))),
            effective_at=NOON,
        )


@given(amounts, amounts)
def test_postings_that_do_not_sum_to_zero_are_refused(one: int, other: int) -> None:
    postings = debit(CUSTODY, usdt(one)), credit(WORLD, usdt(other))
    if one == other:
        Transaction(kind="x", reference="r", postings=postings, effective_at=NOON)
        return
    with pytest.raises(Unbalanced) as refusal:
        Transaction(kind="x", reference="r", postings=postings, effective_at=NOON)
    assert (refusal.value.asset, refusal.value.excess) == (USDT.id, one - other)


def test_assets_do_not_make_up_for_each_other() -> None:
    with pytest.raises(Unbalanced):
        Transaction(
            kind="x",
            reference="r",
            postings=(debit(CUSTODY, usdt(1)), credit(WORLD, coins(1))),
            effective_at=NOON,
        )


@pytest.mark.parametrize(
    "postings", [(), (debit(CUSTODY, usdt(0)), credit(WORLD, usdt(0)))], ids=["none", "zero"]
)
def test_a_transaction_moves_something(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(EmptyTransaction):
        Transaction(kind="x", reference="r", postings=postings, effective_at=NOON)


@given(transactions())
def test_a_reversal_is_the_exact_inverse_and_names_what_it_undoes(
    transaction: Transaction,
) -> None:
    booked = BookedTransaction(TransactionId("tx_1"), NOON, transaction)

    reversal = booked.reversal(at=NOON, note="a mistake")

    assert (reversal.reverses, reversal.note) == ("tx_1", "a mistake")
    assert reversal.reference == transaction.reference
    assert sums(reversal) == {key: -total for key, total in sums(transaction).items()}
    with pytest.raises(NotReversible):
        BookedTransaction(TransactionId("tx_2"), NOON, reversal).reversal(at=NOON)


@pytest.mark.parametrize("kind", sorted(OF_HOLDS))
def test_what_belongs_to_a_hold_is_not_reversed(kind: str) -> None:
    moved = Transaction(
        kind=kind,
        reference="r",
        postings=(debit(CUSTODY, usdt(1)), credit(WORLD, usdt(1))),
        effective_at=NOON,
    )

    with pytest.raises(NotReversible):
        BookedTransaction(TransactionId("tx_1"), NOON, moved).reversal(at=NOON)


@given(accounts, st.integers(-(2**200), 2**200))
def test_a_balance_counts_on_the_side_where_its_account_grows(
    account: Account, total: int
) -> None:
    sign = 1 if SIDES[account] is Side.DEBIT else -1

    assert balance(account, usdt(total)) == Balance(account, usdt(sign * total))


@given(amounts, st.sampled_from(list(Side)))
def test_a_movement_shrinks_its_source_and_grows_its_target(amount: int, on: Side) -> None:
    source, target = [account for account, grows in SIDES.items() if grows is on][:2]

    moved = movement(
        kind="x", reference="r", source=source, target=target, money=usdt(amount), at=NOON
    )

    totals = sums(moved)
    assert balance(source, usdt(totals[source, USDT.id])).money == usdt(-amount)
    assert balance(target, usdt(totals[target, USDT.id])).money == usdt(amount)


def test_custody_is_named_by_rail_and_wallet() -> None:
    assert custody("evm", "hot") == "custody:evm:hot"
