"""A devnet, a client that knows nothing of it, and the few steps that all tests take."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
from nacl.signing import SigningKey
from pytoniq import LiteBalancer, WalletV4R2, WalletV5R1
from pytoniq_core import Address, Builder, InternalMsgInfo

from adapters.ton.devnet.devnet import TonDevnet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pytoniq_core import BlockIdExt, Cell, Transaction


TON = 10**9
WAIT_SECONDS = 10
TESTNET = -3


def comment(text: str) -> Cell:
    body = Builder()
    body.store_uint(0, 32).store_snake_string(text)
    return body.end_cell()


def comment_of(transaction: Transaction) -> str:
    assert transaction.in_msg is not None
    body = transaction.in_msg.body.begin_parse()
    assert body.load_uint(32) == 0
    text: str = body.load_snake_string()
    return text


def arrived_by(transaction: Transaction) -> InternalMsgInfo:
    assert transaction.in_msg is not None
    assert isinstance(transaction.in_msg.info, InternalMsgInfo)
    return transaction.in_msg.info


def somebody() -> Address:
    return Address((0, secrets.token_bytes(32)))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.005)


@asynccontextmanager
async def client_of(config: dict[str, Any], *, seconds: int = 10) -> AsyncIterator[LiteBalancer]:
    client = LiteBalancer.from_config(config, trust_level=1, timeout=seconds)
    await client.start_up()
    try:
        yield client
    finally:
        await client.close_all()


@attrs.frozen
class Box:
    devnet: TonDevnet
    client: LiteBalancer

    async def mined(self) -> BlockIdExt:
        """Mine until all messages have arrived, and wait until the client knows."""
        self.devnet.mine_all()
        return await self.synced()

    async def synced(self) -> BlockIdExt:
        async def seen() -> bool:
            return bool(self.client.last_mc_block == self.devnet.head)

        await until(seen)
        return self.devnet.head

    async def wallet(self, kind: type = WalletV4R2, *, nanotons: int = 100 * TON) -> Any:  # noqa: ANN401 - pytoniq's wallets share no class with what tests use of them
        """Return a wallet that is deployed and has so much, less the fee of its deployment."""
        key = SigningKey.generate()
        options: dict[str, Any] = {}
        if kind is WalletV5R1:
            options["network_global_id"] = TESTNET
        elif hasattr(kind, "VERSION"):
            options["version"] = kind.VERSION
        wallet: Any = await kind.from_private_key(  # type: ignore[attr-defined]  # as above
            self.client, bytes(key) + bytes(key.verify_key), **options
        )
        self.devnet.give(address=wallet.address, amount=nanotons)
        await self.mined()
        await wallet.update()
        await wallet.send_init_external()
        await self.mined()
        await wallet.update()
        assert wallet.is_active
        return wallet

    async def balance(self, address: Address, *, block: BlockIdExt | None = None) -> int:
        account, _ = await self.client.raw_get_account_state(address, block)
        nanotons: int = account.storage.balance.grams if account else 0
        return nanotons

    def transfer(self, wallet: Any, payee: Address) -> bytes:  # noqa: ANN401 - as above
        """Return the signed message of a deployed wallet's first payment, good for a minute."""
        signed = wallet.raw_create_transfer_msg(
            private_key=wallet.private_key,
            seqno=1,
            wallet_id=wallet.wallet_id,
            messages=[wallet.create_wallet_internal_message(payee, value=TON, bounce=False)],
            valid_until=self.devnet.now + 60,
        )
        message = wallet.create_external_msg(dest=wallet.address, body=signed)
        bag: bytes = message.serialize().to_boc()
        return bag
