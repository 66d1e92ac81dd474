"""The same wallets through a liteserver and the library's client, as in a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.ton.contracts.jetton import DevnetJetton
from adapters.ton.deposit_wallet import DepositWallets, Sweep
from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.fees import DEVNET, PARAMETERS, Prices, batch_fees, jetton_transfer_fee
from adapters.ton.highload import HighloadBatch, HighloadWallet, query_id
from adapters.ton.internal import coin_transfer, jetton_transfer
from adapters.ton.messages import JettonTransfer, comment
from tests.adapters.ton.devnet.box import Box, client_of
from tests.adapters.ton.on_devnet.world import PUBLIC, TON, sign

if TYPE_CHECKING:
    from adapters.ton.external import ExternalMessage

WALLET = HighloadWallet(public_key=PUBLIC, timeout_seconds=3_600)
ADMIN = DepositWallets(public_key=PUBLIC).at(0)
JETTON = DevnetJetton(admin=ADMIN.address)


async def send(box: Box, message: ExternalMessage) -> None:
    await box.client.raw_send_message(message.to_boc())
    await box.mined()


async def mint_for_the_wallet(box: Box) -> None:
    box.devnet.give(address=ADMIN.address.to_pytoniq(), amount=100 * TON)
    await box.mined()
    minted = JETTON.mint(owner=WALLET.address, amount=1_000, attached=TON, for_wallet=TON // 2)
    for seqno, message in enumerate((JETTON.deployment(attached=TON), minted)):
        told = Sweep(message=message, seqno=seqno, valid_until=box.devnet.now + 60)
        await send(box, ADMIN.message(told, sign=sign))


async def test_a_batch_of_coins_and_jettons_by_prices_that_were_read() -> None:
    recipient = DepositWallets(public_key=PUBLIC).at(1).address
    async with TonDevnet(block_seconds=0) as devnet, client_of(devnet.config()) as client:
        box = Box(devnet, client)
        devnet.give(address=WALLET.address.to_pytoniq(), amount=100 * TON)
        await mint_for_the_wallet(box)
        prices = Prices.of(await client.get_config_params(list(PARAMETERS)))
        told = JettonTransfer(
            query_id=1,
            amount=600,
            destination=recipient,
            response_destination=WALLET.address,
            forward_amount=1,
            forward_payload=comment("settlement"),
        )
        transfers = (
            coin_transfer(destination=recipient, amount=TON, bounce=False),
            jetton_transfer(
                jetton_wallet=JETTON.wallet(WALLET.address),
                attached=jetton_transfer_fee(told, prices, limits=DEVNET),
                transfer=told,
            ),
        )
        batch = HighloadBatch(
            query=query_id(0),
            created_at=devnet.now,
            transfers=transfers,
            allowance=batch_fees(transfers, prices, deploy=True).allowance,
        )
        await send(box, WALLET.message(batch, sign=sign, deploy=True))
        # The one that rides with the notice is gone where a second's rent was due by then.
        assert await box.balance(recipient.to_pytoniq()) in (TON, TON + 1)
        wallet = JETTON.wallet(recipient).to_pytoniq()
        told_of = await client.run_get_method(wallet, "get_wallet_data", [])
        assert told_of[0] == 600
