"""A gateway's hot wallet, deposit wallets, reader and sender on the devnet, over liteservers."""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs
from pytoniq_core.crypto.keys import crypto_sign_seed_keypair
from pytoniq_core.crypto.signature import sign_message
from pytoniq_core.tlb.transaction import Transaction

from adapters.ton.addresses import TonAddress
from adapters.ton.contracts.jetton import DevnetJetton, Locked
from adapters.ton.deposit_wallet import DepositWallets, Sweep
from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.fees import DEVNET
from adapters.ton.internal import coin_transfer, jetton_transfer
from adapters.ton.liteservers import Liteservers
from adapters.ton.messages import JettonTransfer, comment
from adapters.ton.prepared import Deposits
from adapters.ton.reader import TonChainReader
from adapters.ton.sender import TonChainSender
from adapters.ton.settings import TESTNET, Jetton, TonChain
from adapters.ton.signer import LocalDepositSigner, LocalHighloadSigner
from domain.chains.instructions import Part, SendMany, SendMoney
from domain.shared.ids import PayoutId
from domain.shared.money import Asset, AssetId, Money
from ports.chain import ChainReader, ChainSender
from tests.adapters.ton.strategies import KEY
from tests.contracts.chain import PURSE, WALLET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from adapters.ton.deposit_wallet import DepositWallet
    from adapters.ton.external import ExternalMessage
    from adapters.ton.internal import InternalMessage
    from domain.chains.submissions import SignedBytes

PUBLIC, SECRET = crypto_sign_seed_keypair(KEY)
HOT_SEED, DEPOSIT_SEED = b"devnet's hot key".ljust(32, b"!"), b"devnet's deposits".ljust(32, b"!")
TON = 10**9
START = 1_790_000_000
COIN = Asset(id=AssetId("ton:-3/slip44:607"), symbol="GRAM", decimals=9)
USDT = Asset(id=AssetId("ton:-3/jetton:usdt"), symbol="USDT", decimals=6)
TIMEOUT = 3_600
OWNED = 32
"""How many deposit wallets the reader is told of."""


@attrs.frozen
class DevnetClock:
    devnet: TonDevnet

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.devnet.now, tz=UTC)


@attrs.define(kw_only=True)
class Gateway:
    """Also the chain contract's world; the payer and the jetton's admin are wallets of a key."""

    devnet: TonDevnet
    servers: Liteservers
    settings: TonChain
    jetton: DevnetJetton
    reader: ChainReader
    sender: ChainSender
    payer: str
    watched: str
    wallets: DepositWallets = attrs.field(factory=lambda: DepositWallets(public_key=PUBLIC))
    taken: dict[str, int] = attrs.field(factory=dict)
    first_block: int = 1
    native: AssetId = COIN.id
    token: AssetId = USDT.id
    seqnos: dict[int, int] = attrs.field(factory=dict)

    @property
    def admin(self) -> DepositWallet:
        return self.wallets.at(0)

    @property
    def purse(self) -> DepositWallet:
        return self.wallets.at(1)

    def somebody(self, name: str) -> str:
        return "0:" + hashlib.sha256(name.encode()).hexdigest()

    def deposit(self, index: int) -> str:
        return deposit_signer().wallets.derive(index)

    async def pay(self, *, target: str, amount: int) -> str:
        return await self.write(target=target, money=Money(amount, USDT.id), memo=None)

    async def write(self, *, target: str, money: Money, memo: str | None) -> str:
        self.act(1, self.payment(target=target, money=money, memo=memo))
        self.devnet.mine_all()
        to = TonAddress.parse(target)
        account = to if money.asset == COIN.id else self.jetton.wallet(to)
        name: str = self.transactions(account)[-1].cell.hash.hex()
        return name

    async def mine(self, blocks: int = 1) -> None:
        self.devnet.mine(blocks=blocks)

    async def finalize(self) -> None:
        self.devnet.mine()

    def failing(self) -> SendMoney:
        """Return a payout to somebody whose jetton wallet is locked."""
        target = self.somebody("locked")
        self.lock(target)
        return SendMoney(Money(4, USDT.id), target)

    async def lapse(self, signed: SignedBytes) -> None:
        assert signed.valid_until is not None
        self.devnet.advance(seconds=int(signed.valid_until.timestamp()) - self.devnet.now + 1)

    def payment(
        self, *, target: str, money: Money, memo: str | None = None, forward: int = 0
    ) -> InternalMessage:
        to = TonAddress.parse(target)
        if money.asset == COIN.id:
            return coin_transfer(destination=to, amount=money.amount, bounce=False, memo=memo)
        told = JettonTransfer(
            query_id=9,
            amount=money.amount,
            destination=to,
            response_destination=self.purse.address,
            forward_amount=forward,
            forward_payload=None if memo is None else comment(memo),
        )
        wallet = self.jetton.wallet(self.purse.address)
        return jetton_transfer(jetton_wallet=wallet, attached=TON // 2, transfer=told)

    def act(self, index: int, message: InternalMessage) -> ExternalMessage:
        """Have a wallet of the key send something; it is under way."""
        seqno = self.seqnos.get(index, 0)
        self.seqnos[index] = seqno + 1
        told = Sweep(message=message, seqno=seqno, valid_until=self.devnet.now + 60)
        signed = self.wallets.at(index).message(told, sign=lambda it: sign_message(it, SECRET))
        self.devnet.send(message=signed.to_boc())
        return signed

    def act_all(self, index: int, message: InternalMessage) -> None:
        """Have it send something, and see to the end what comes of it."""
        self.act(index, message)
        self.devnet.mine_all()

    def mint(self, owner: TonAddress, amount: int) -> None:
        minted = self.jetton.mint(owner=owner, amount=amount, attached=TON, for_wallet=TON // 2)
        self.act_all(0, minted)

    def lock(self, owner: str) -> None:
        """Mint something, so that there is a wallet, and lock it against what comes in."""
        self.mint(TonAddress.parse(owner), 1)
        lock = self.jetton.lock(
            owner=TonAddress.parse(owner),
            status=Locked.INCOMING,
            attached=TON,
            for_wallet=TON // 2,
        )
        self.act_all(0, lock)

    def transactions(self, address: TonAddress) -> list[Transaction]:
        placed = self.devnet.chain.transactions(address.account)
        return [Transaction.deserialize(each.transaction.cell.begin_parse()) for each in placed]

    async def held(self, address: str, asset: AssetId = COIN.id) -> int:
        head = await self.reader.head()
        return (await self.reader.balance(address, asset, at_block=head.latest)).amount

    def another_reader(self) -> TonChainReader:
        """Return one that remembers nothing."""
        return reader_of(self.servers, self.settings)


def coins(amount: int, target: str) -> SendMoney:
    return SendMoney(Money(amount, COIN.id), target)


def tokens(amount: int, target: str) -> SendMoney:
    return SendMoney(Money(amount, USDT.id), target)


def batch(sends: Sequence[SendMoney]) -> SendMany:
    return SendMany(tuple(Part(PayoutId(f"po_{n}"), it) for n, it in enumerate(sends)))


def hot_signer() -> LocalHighloadSigner:
    return LocalHighloadSigner(HOT_SEED, timeout_seconds=TIMEOUT)


def deposit_signer() -> LocalDepositSigner:
    return LocalDepositSigner(DEPOSIT_SEED, hot_wallet=hot_signer().address)


def reader_of(servers: Liteservers, settings: TonChain, *, owned: int = OWNED) -> TonChainReader:
    async def owners() -> Sequence[str]:
        return [deposit_signer().wallets.derive(index) for index in range(owned)]

    return TonChainReader(servers, settings, hot_wallet=hot_signer().address, owners=owners)


def sender_of(servers: Liteservers, settings: TonChain, devnet: TonDevnet) -> TonChainSender:
    signer = hot_signer()
    return TonChainSender(
        servers,
        settings,
        wallet=signer.wallet,
        signer=signer,
        clock=DevnetClock(devnet),
        deposits=Deposits(deposit_signer().wallets, deposit_signer()),
    )


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """Yield a gateway whose hot wallet holds coins and ``WALLET`` tokens, and a payer's purse."""
    async with TonDevnet(block_seconds=0, clock=lambda: START) as devnet:
        jetton = DevnetJetton(admin=DepositWallets(public_key=PUBLIC).at(0).address)
        settings = TonChain(
            global_id=TESTNET,
            config=devnet.config(),
            native=COIN,
            jettons=(Jetton(USDT, jetton.minter.raw, limits=DEVNET),),
            request_timeout_seconds=2,
            message_seconds=TIMEOUT,
        )
        async with Liteservers(settings) as servers:
            signer = hot_signer()
            world = Gateway(
                devnet=devnet,
                servers=servers,
                settings=settings,
                jetton=jetton,
                payer=DepositWallets(public_key=PUBLIC).derive(1),
                watched=signer.address,
                reader=reader_of(servers, settings),
                sender=sender_of(servers, settings, devnet),
            )
            for address in (world.admin.address.raw, world.payer, signer.address):
                devnet.give(address=address, amount=1_000 * TON)
            devnet.mine_all()
            world.act_all(0, jetton.deployment(attached=TON))
            world.mint(world.purse.address, PURSE)
            world.mint(signer.wallet.address, WALLET)
            world.first_block = devnet.head.seqno
            yield world
