from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytoniq import HighloadWalletV3, LiteServerError, WalletV3R2, WalletV4R2, WalletV5R1

from adapters.ton.devnet.emulator import NotExecuted
from tests.adapters.ton.devnet.box import TON, arrived_by, comment, comment_of, somebody

if TYPE_CHECKING:
    from tests.adapters.ton.devnet.box import Box


@pytest.mark.parametrize("kind", [WalletV3R2, WalletV4R2, WalletV5R1])
async def test_a_wallet_pays_with_a_comment(box: Box, kind: type) -> None:
    wallet, payee = await box.wallet(kind), somebody()
    before = wallet.balance
    await wallet.transfer(payee, 5 * TON, body=comment("order 42"))
    await box.mined()

    assert await box.balance(payee) == 5 * TON
    (arrived,) = await box.client.get_transactions(payee, 10)
    assert comment_of(arrived) == "order 42"
    assert arrived_by(arrived).src == wallet.address
    paid = before - await box.balance(wallet.address)
    assert 5 * TON < paid < 5 * TON + TON // 50


async def test_a_message_arrives_one_block_after_it_was_sent(box: Box) -> None:
    wallet, payee = await box.wallet(), somebody()
    box.devnet.send(message=box.transfer(wallet, payee))
    box.devnet.mine()
    await box.synced()
    assert await wallet.get_seqno() == 2
    assert await box.balance(payee) == 0
    box.devnet.mine()
    await box.synced()
    assert await box.balance(payee) == TON


async def test_the_faucet_gives_exactly_and_can_comment(box: Box) -> None:
    payee = somebody()
    box.devnet.give(address=payee, amount=3, comment="a deposit")
    box.devnet.give(address=payee.to_str(), amount=TON)
    await box.mined()
    assert await box.balance(payee) == TON + 3
    later, first = await box.client.get_transactions(payee, 2)
    assert comment_of(first) == "a deposit"
    assert later.prev_trans_lt == first.lt
    (newest,) = await box.client.get_transactions(payee, 1)
    assert newest.cell == later.cell
    with pytest.raises(LiteServerError, match="cannot locate transaction"):
        await box.client.raw_get_transactions(payee, 1, later.lt, first.cell.hash)


async def test_money_for_a_missing_contract_bounces(box: Box) -> None:
    wallet, nobody = await box.wallet(), somebody()
    message = wallet.create_wallet_internal_message(nobody, value=TON, bounce=True)
    await wallet.raw_transfer([message])
    await box.mined()

    assert await box.balance(nobody) == 0
    back = (await box.client.get_transactions(wallet.address, 1))[0]
    assert arrived_by(back).bounced
    assert arrived_by(back).src == nobody
    assert TON - TON // 1000 < arrived_by(back).value_coins < TON


async def test_a_message_is_executed_once(box: Box) -> None:
    wallet, payee = await box.wallet(), somebody()
    message = box.transfer(wallet, payee)
    box.devnet.send(message=message)
    box.devnet.send(message=message)
    await box.mined()
    assert await box.balance(payee) == TON
    with pytest.raises(LiteServerError, match="exitcode=33"):
        await box.client.raw_send_message(message)


async def test_an_expired_message_is_refused(box: Box) -> None:
    wallet, payee = await box.wallet(), somebody()
    message = box.transfer(wallet, payee)
    box.devnet.advance(seconds=61)
    with pytest.raises(LiteServerError, match="exitcode=36"):
        await box.client.raw_send_message(message)
    with pytest.raises(NotExecuted):
        box.devnet.send(message=message)


async def test_a_message_that_expires_on_its_way_leaves_no_trace(box: Box) -> None:
    wallet, payee = await box.wallet(), somebody()
    message = box.transfer(wallet, payee)
    assert await box.client.raw_send_message(message) == 1
    box.devnet.advance(seconds=61)
    await box.synced()
    assert await wallet.get_seqno() == 1
    assert await box.balance(payee) == 0


async def test_what_is_no_message_is_refused(box: Box) -> None:
    with pytest.raises(LiteServerError, match="cannot apply external message"):
        await box.client.raw_send_message(comment("hello").to_boc())


async def test_storage_is_paid_as_time_goes_by(box: Box) -> None:
    wallet = await box.wallet()
    before = await box.balance(wallet.address)
    box.devnet.advance(seconds=365 * 24 * 3600)
    box.devnet.give(address=wallet.address, amount=1)
    await box.mined()
    rent = before + 1 - await box.balance(wallet.address)
    assert 0 < rent < TON // 10


async def test_a_highload_wallet_pays_250_in_a_batch(box: Box) -> None:
    wallet = await box.wallet(HighloadWalletV3, nanotons=20 * TON)
    payees = [somebody() for _ in range(250)]
    await wallet.transfer(
        destinations=payees,
        amounts=[10**7 + place for place in range(250)],
        bodies=[comment(f"payout {place}") for place in range(250)],
        query_id=5,
    )
    await box.mined()

    chain = box.devnet.chain
    for place, payee in enumerate(payees):
        assert len(chain.transactions(payee.hash_part)) == 1
        if place % 50 == 0:
            assert await box.balance(payee) == 10**7 + place
            (arrived,) = await box.client.get_transactions(payee, 1)
            assert comment_of(arrived) == f"payout {place}"
    assert await wallet.processed(5, need_clean=False)
    assert not await wallet.processed(6, need_clean=False)
    box.devnet.advance(seconds=3 * wallet.timeout)
    await box.synced()
    assert not await wallet.processed(5, need_clean=True)
