"""The demo's part on TON: wallets, a test USDT on the devnet, and payers who hold some."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import attrs

from adapters.ton.addresses import TonAddress
from adapters.ton.devnet.purse import DevnetPurse, PurseStuck, devnet_wallets
from adapters.ton.key_file import create_key_file, public_key, read_key_file
from adapters.ton.liteservers import Liteservers
from adapters.ton.scanner import Scanner
from adapters.ton.settings import TESTNET, TonChain
from adapters.ton.signer import LocalHighloadSigner
from config.demo.record import TonDemo
from domain.shared.money import Asset, asset_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from config.demo.record import TonFiles

CHAIN: Final = f"ton:{TESTNET}"
COIN: Final = f"{CHAIN}/slip44:607"
SYMBOL: Final = "GRAM"
"""What the chain calls its coin since June 2026; before, it was TON. Nothing inside goes by it."""

MESSAGE_SECONDS: Final = 600
ARRIVAL_POLL_SECONDS: Final = 0.05
ARRIVAL_POLLS_MAX: Final = 600
GRAM: Final = 10**9
HOT_WALLET_COINS: Final = 100 * GRAM
PAYER_COINS: Final = 20 * GRAM
PAYER_UNITS: Final = 10_000 * 10**6
PAYERS: Final = (1, 2)
MERCHANT: Final = 9
"""Which wallets of the devnet's key are the payers' and the merchant's."""


async def provision(files: TonFiles) -> TonDemo:
    """Make keys, a test USDT, and money to pay with.

    Keys that a start which did not get to its end has left behind are used again.

    Raises:
        PurseStuck: the devnet does not do in time what it is asked for.
        ChainUnavailable: the devnet does not answer.
    """
    for file in (files.hot_wallet, files.deposit_key):
        if not file.exists():
            create_key_file(file)
    hot_wallet = LocalHighloadSigner.from_file(
        files.hot_wallet, timeout_seconds=MESSAGE_SECONDS
    ).wallet.address
    async with _servers(files.network) as servers:
        purse = DevnetPurse(servers)
        jetton = await purse.deploy_jetton()
        wallets = [purse.wallets.at(index).address for index in PAYERS]
        await asyncio.gather(
            *(purse.mint(owner=wallet, amount=PAYER_UNITS) for wallet in wallets),
            *(purse.send_coins(to=wallet, amount=PAYER_COINS) for wallet in wallets),
            purse.send_coins(to=hot_wallet, amount=HOT_WALLET_COINS),
        )
        await _arrived(purse, hot_wallet)
        # What has come until now is brought in, and nobody's payment.
        newest = await Scanner(servers).newest()
    master = jetton.minter.friendly(bounceable=True, test_only=True)
    return TonDemo(
        hot_wallet=hot_wallet.friendly(bounceable=False, test_only=True),
        deposit_public_key=public_key(read_key_file(files.deposit_key)).hex(),
        jetton=f"{CHAIN}/jetton:{master}",
        merchant_wallet=devnet_wallets().derive(MERCHANT),
        first_block=newest.seqno + 1,
    )


async def _arrived(purse: DevnetPurse, hot_wallet: TonAddress) -> None:
    """Wait for the hot wallet's coins, which come a block after they were sent.

    Raises:
        PurseStuck: they do not come.
    """
    for _ in range(ARRIVAL_POLLS_MAX):
        if await purse.coins_of(hot_wallet) >= HOT_WALLET_COINS:
            return
        await asyncio.sleep(ARRIVAL_POLL_SECONDS)
    raise PurseStuck("the hot wallet's coins")


def chain_table(ton: TonDemo, files: TonFiles, *, signs: bool) -> dict[str, object]:
    """Return what a process's settings say of the chain; only the worker's name keys."""
    keys = {"hot_wallet_file": str(files.hot_wallet), "deposit_key_file": str(files.deposit_key)}
    return {
        "id": CHAIN,
        "network_config_file": str(files.network),
        "hot_wallet": ton.hot_wallet,
        "deposit_public_key": ton.deposit_public_key,
        "first_block": ton.first_block,
        "message_seconds": MESSAGE_SECONDS,
        "jetton_limits": "devnet",
        "devnet": True,
        **(keys if signs else {}),
    }


def asset_tables(ton: TonDemo) -> list[dict[str, object]]:
    """Return what the settings say of the chain's assets."""
    return [
        {"id": COIN, "symbol": SYMBOL, "decimals": 9},
        {"id": ton.jetton, "symbol": "tUSDT", "decimals": 6, "peg": "iso4217:USD"},
    ]


@attrs.frozen
class TonPayer:
    """One of the demo's payers on TON."""

    ton: TonDemo
    index: int
    purse: DevnetPurse

    async def pay(self, *, asset: str, to: str, amount: int, memo: str | None) -> str:
        """Send test USDT or coins, in smallest units; return the transaction's hash.

        Raises:
            PurseStuck: the message came into no block in time.
            ChainUnavailable: the devnet does not answer.
        """
        address = TonAddress.parse(to)
        if asset == COIN:
            return await self.purse.send_coins(
                to=address, amount=amount, memo=memo, index=self.index
            )
        return await self.purse.send_jettons(
            index=self.index, to=address, amount=amount, memo=memo
        )

    async def held_by(self, owner: str) -> int:
        """Return what anybody holds of the test USDT, in its smallest unit.

        Raises:
            ChainUnavailable: the devnet does not answer.
        """
        return await self.purse.jettons_of(TonAddress.parse(owner))


@asynccontextmanager
async def ton_payer(ton: TonDemo, files: TonFiles, number: int) -> AsyncIterator[TonPayer]:
    """Yield one of the payers, from 0."""
    async with _servers(files.network) as servers:
        yield TonPayer(ton, PAYERS[number], DevnetPurse(servers))


def _servers(network: Path) -> Liteservers:
    coin = Asset(asset_id(COIN), SYMBOL, decimals=9)
    config = json.loads(network.read_text("utf-8"))
    return Liteservers(TonChain(global_id=TESTNET, config=config, native=coin))
