"""The sandbox over a TON devnet: coins and jettons, with a memo or without; nothing else."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import attrs
import pytest
from pytoniq_core.tlb.transaction import Transaction

from adapters.ton.addresses import TonAddress
from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.purse import DEVNET_COINS, DevnetPurse, devnet_wallets
from adapters.ton.liteservers import Liteservers
from adapters.ton.sandbox import TonSandbox
from adapters.ton.settings import TESTNET, TonChain
from domain.shared.money import Asset, AssetId, ChainId, Money
from ports.sandbox import SandboxRefused, WrongSandbox
from tests.adapters.ton.devnet.box import TON, comment_of, somebody, until
from tests.builders import terms_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHAIN = ChainId("ton:-3")
COIN = Asset(id=AssetId(f"{CHAIN}/slip44:607"), symbol="GRAM", decimals=9)


@attrs.frozen
class Sandboxed:
    devnet: TonDevnet
    purse: DevnetPurse
    sandbox: TonSandbox

    @property
    def jetton(self) -> AssetId:
        minter = self.purse.jetton.minter.friendly(bounceable=True, test_only=True)
        return AssetId(f"{CHAIN}/jetton:{minter}")


@pytest.fixture
async def on_devnet(request: pytest.FixtureRequest) -> AsyncIterator[Sandboxed]:
    coins = getattr(request, "param", DEVNET_COINS)
    started = time.time()  # Time stands still: a second's rent would be a nanoton.
    endowed = {devnet_wallets().derive(0): coins}
    async with TonDevnet(block_seconds=0.02, endowed=endowed, clock=lambda: started) as devnet:
        settings = TonChain(
            global_id=TESTNET, config=devnet.config(), native=COIN, request_timeout_seconds=2
        )
        async with Liteservers(settings) as servers:
            sandbox = TonSandbox(CHAIN, native=COIN.id, servers=servers)
            purse = DevnetPurse(servers, wait_seconds=5)

            async def endowed_by_now() -> bool:
                return await purse.coins_of(purse.wallets.at(0).address) == coins

            await until(endowed_by_now)
            yield Sandboxed(devnet, purse, sandbox)


def payee() -> TonAddress:
    return TonAddress(0, somebody().hash_part)


@pytest.mark.parametrize("memo", [None, "4ZSVFNTTNHJ5"])
async def test_coins_come_to_who_is_paid(on_devnet: Sandboxed, memo: str | None) -> None:
    to = payee()
    await on_devnet.sandbox.check()
    await on_devnet.sandbox.pay(target=to.raw, money=Money(3 * TON, COIN.id), memo=memo)

    async def arrived() -> bool:
        return await on_devnet.purse.coins_of(to) == 3 * TON

    await until(arrived)
    if memo is not None:
        [placed] = on_devnet.devnet.chain.transactions(to.account)
        read = Transaction.deserialize(placed.transaction.cell.begin_parse())
        assert comment_of(read) == memo


async def test_jettons_are_minted_for_a_payer_who_is_short(on_devnet: Sandboxed) -> None:
    await on_devnet.purse.deploy_jetton()
    to, money = payee(), Money(500, on_devnet.jetton)
    for _ in range(2):
        await on_devnet.sandbox.pay(target=to.raw, money=money, memo="4ZSVFNTTNHJ5")

    async def arrived() -> bool:
        return await on_devnet.purse.jettons_of(to) == 1_000

    await until(arrived)


async def test_what_there_is_not(on_devnet: Sandboxed) -> None:
    sandbox, to = on_devnet.sandbox, payee()
    other = payee().friendly(bounceable=True, test_only=True)
    for refused in (
        sandbox.pay(target=to.raw, money=Money(1, AssetId(f"{CHAIN}/jetton:{other}"))),
        sandbox.pay(target="nowhere", money=Money(1, COIN.id)),
        sandbox.pay_escrow(terms_of()),
        sandbox.reorganize(depth=1),
    ):
        with pytest.raises(SandboxRefused):
            await refused


@pytest.mark.parametrize("on_devnet", [5 * TON], indirect=True)
async def test_where_that_key_holds_next_to_nothing_there_is_no_devnet(
    on_devnet: Sandboxed,
) -> None:
    with pytest.raises(WrongSandbox):
        await on_devnet.sandbox.check()


async def test_payments_at_once_take_turns(on_devnet: Sandboxed) -> None:
    sandbox, money = on_devnet.sandbox, Money(TON, COIN.id)
    sent = await asyncio.gather(*(sandbox.pay(target=payee().raw, money=money) for _ in range(3)))
    assert len({*sent}) == 3
