from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import attrs
import pytest
from pytoniq_core.tlb.transaction import Transaction

from adapters.ton.addresses import TonAddress
from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.purse import DEVNET_COINS, DevnetPurse, PurseStuck, devnet_wallets
from adapters.ton.liteservers import Liteservers
from adapters.ton.settings import TESTNET, TonChain
from domain.shared.money import Asset, AssetId
from tests.adapters.ton.devnet.box import TON, comment_of, somebody, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COIN = Asset(id=AssetId("ton:-3/slip44:607"), symbol="GRAM", decimals=9)


@attrs.frozen
class Rich:
    devnet: TonDevnet
    purse: DevnetPurse


@pytest.fixture
async def rich() -> AsyncIterator[Rich]:
    endowed = {devnet_wallets().derive(0): DEVNET_COINS}
    started = time.time()  # Time stands still: a second's rent would be a nanoton.
    async with TonDevnet(block_seconds=0.02, endowed=endowed, clock=lambda: started) as devnet:
        settings = TonChain(
            global_id=TESTNET, config=devnet.config(), native=COIN, request_timeout_seconds=2
        )
        async with Liteservers(settings) as servers:
            yield Rich(devnet, DevnetPurse(servers, wait_seconds=5))


def payee() -> TonAddress:
    return TonAddress(0, somebody().hash_part)


async def test_coins_arrive_with_their_memo(rich: Rich) -> None:
    to = payee()
    sent = await asyncio.gather(
        *(rich.purse.send_coins(to=to, amount=TON + n, memo=f"order {n}") for n in range(3))
    )
    assert len(set(sent)) == 3

    async def arrived() -> bool:
        return await rich.purse.coins_of(to) == 3 * TON + 3

    await until(arrived)
    placed = rich.devnet.chain.transactions(to.account)
    told = [Transaction.deserialize(each.transaction.cell.begin_parse()) for each in placed]
    assert [comment_of(each) for each in told] == ["order 0", "order 1", "order 2"]
    payer = rich.devnet.chain.transactions(rich.purse.wallets.at(0).address.account)
    assert [each.transaction.cell.hash.hex() for each in payer[1:]] == sent


async def test_jettons_are_minted_once_deployed_and_change_hands(rich: Rich) -> None:
    purse, payer, to = rich.purse, rich.purse.wallets.at(1).address, payee()
    assert await purse.jettons_of(payer) == 0
    await purse.deploy_jetton()
    head = rich.devnet.chain.transactions(purse.wallets.at(0).address.account)
    count = len(head)
    await purse.deploy_jetton()
    assert len(head) == count
    await purse.mint(owner=payer, amount=500)
    await purse.mint(owner=payer, amount=500)
    assert await purse.jettons_of(payer) == 1_000
    await purse.send_coins(to=payer, amount=5 * TON)
    await purse.send_jettons(index=1, to=to, amount=300, memo="order 7")

    async def arrived() -> bool:
        return await purse.jettons_of(to) == 300

    await until(arrived)
    assert await purse.jettons_of(payer) == 700


async def test_what_does_not_happen_is_not_waited_for_for_ever(rich: Rich) -> None:
    rich.devnet.liteservers[0].faults.messages_to_lose = 1
    purse = DevnetPurse(rich.purse._servers, wait_seconds=0.3)
    with pytest.raises(PurseStuck, match="a message of wallet 0"):
        await purse.send_coins(to=payee(), amount=1)
