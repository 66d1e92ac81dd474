"""Verdicts on a chain whose messages travel, and where coins are in a log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.ledger.model import Transaction, credit, debit
from domain.shared.money import Money
from tests.contracts.expiring import ADA, Behind, dropped
from tests.domain.scene import HOT, PAYER
from tests.domain.shared_wallet import (
    CHAIN,
    COIN,
    COIN_DUE,
    PLACES,
    TOKEN,
    VALID_FOR,
    new_shared_wallet,
)

if TYPE_CHECKING:
    from domain.chains.model import Block
    from domain.chains.submissions import SignedBytes
    from domain.ledger.parking import ParkedAsset
    from tests.domain.shared_wallet import SharedWallet

TRAVELS = 9


class Undecided(Behind):
    """A node that lags, and by which nothing is ever proven to be absent."""

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        del signed, through
        return False


@pytest.fixture
async def wallet() -> SharedWallet:
    return await new_shared_wallet()


async def reconcile(wallet: SharedWallet) -> list[ParkedAsset]:
    return [*await wallet.services.conservation.reconcile(chain=CHAIN)]


async def looked_at_by_one_who_lags(wallet: SharedWallet) -> list[ParkedAsset]:
    """Reconcile by a node that has balances, and does not know in which blocks we are."""
    node: Any = Behind(wallet, answers=False)
    return [*await wallet.process(reader=node).conservation.reconcile(chain=CHAIN)]


async def plant(wallet: SharedWallet) -> None:
    """Book money that is not there."""
    at, money = wallet.around.clock.now(), Money(5, TOKEN.id)
    async with wallet.begin() as work:
        await work.ledger.book(
            Transaction(
                kind="mistake",
                reference="by hand",
                effective_at=at,
                postings=(debit(PLACES.hot, money), credit(PLACES.suspense, money)),
            )
        )
        await work.commit()


async def pass_time(wallet: SharedWallet) -> None:
    """Have another block be final."""
    wallet.around.clock.advance(seconds=60)
    wallet.chain.mine()
    wallet.chain.finalize()


async def test_a_node_that_does_not_know_where_a_message_is_proves_nothing(
    wallet: SharedWallet,
) -> None:
    await wallet.payouts_under_way([ADA])
    wallet.chain.state.nature = attrs.evolve(wallet.chain.state.nature, travels=TRAVELS)
    await wallet.send()
    for _ in range(TRAVELS - 1):
        await pass_time(wallet)
        await wallet.watch()
        assert await looked_at_by_one_who_lags(wallet) == []

    await wallet.settle_down()
    assert await looked_at_by_one_who_lags(wallet) == []
    await wallet.must_be_right()


async def test_what_was_signed_after_the_last_block_holds_no_verdict_up(
    wallet: SharedWallet,
) -> None:
    await wallet.payouts_under_way([ADA])
    await plant(wallet)
    await pass_time(wallet)
    await wallet.watch()
    await wallet.send()

    assert [it.asset for it in await looked_at_by_one_who_lags(wallet)] == [TOKEN.id]


async def test_a_message_holds_verdicts_until_it_is_known_to_be_nowhere(
    wallet: SharedWallet,
) -> None:
    await wallet.payouts_under_way([ADA])
    await dropped(wallet)
    await plant(wallet)
    await pass_time(wallet)
    await wallet.watch()
    assert await looked_at_by_one_who_lags(wallet) == []

    wallet.around.clock.advance(seconds=int(VALID_FOR.total_seconds()))
    await pass_time(wallet)
    node: Any = Undecided(wallet, answers=False)
    await wallet.process(reader=node).watcher.watch(chain=CHAIN)
    assert len(await wallet.in_flight()) == 1
    assert await looked_at_by_one_who_lags(wallet) == []

    await wallet.watch()
    assert not await wallet.in_flight()
    assert [it.asset for it in await looked_at_by_one_who_lags(wallet)] == [TOKEN.id]


async def come(wallet: SharedWallet, *, seen_by_us: bool) -> str:
    """Have coins come to the hot wallet that nobody books; the chain may tell of them, or not."""
    wallet.around.clock.advance(seconds=60)
    transaction = wallet.chain.transfer(Money(COIN_DUE, COIN.id), source=PAYER, target=HOT)
    wallet.chain.mine()
    mined = wallet.chain.blocks.mined[-1]
    assert mined.observations
    wallet.chain.blocks.mined[-1] = attrs.evolve(mined, observations=())
    await wallet.settle_down()
    if seen_by_us:
        wallet.chain.blocks.mined[mined.block.number] = mined
    return transaction


async def test_coins_that_are_in_a_log_and_were_not_booked_are_named(
    wallet: SharedWallet,
) -> None:
    assert await reconcile(wallet) == []
    transaction = await come(wallet, seen_by_us=True)

    [parked] = await reconcile(wallet)
    assert parked.asset == COIN.id
    assert str(parked.entry).endswith(
        f"chain transaction {transaction} position 0 moves {COIN_DUE} and is not booked"
    )


async def test_coins_that_no_log_tells_of_stop_nothing(
    wallet: SharedWallet, caplog: pytest.LogCaptureFixture
) -> None:
    """What rides with messages is no transfer, and anybody may send it."""
    await come(wallet, seen_by_us=False)

    assert await reconcile(wallet) == []
    told = [it.getMessage() for it in caplog.records if it.levelno == logging.WARNING]
    assert [it.endswith(f"{COIN_DUE:+d}") for it in told] == [True]
