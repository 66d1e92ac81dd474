"""Reading TON: masterchain blocks, what they make final, and balances."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from adapters.ton.accounts import Accounts
from adapters.ton.facts import FactFinder, JettonWallet, is_excess
from adapters.ton.inclusions import Inclusions
from adapters.ton.jettons import JettonWallets
from adapters.ton.liteservers import SourcesDisagree
from adapters.ton.messages import InternalTransfer
from adapters.ton.scanner import Scanner
from adapters.ton.transactions import account_of, taken_in
from domain.chains.model import Head, Observation, ObservationKey, Scan
from domain.shared.money import Money
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from pytoniq_core import BlockIdExt
    from pytoniq_core.tlb.transaction import Transaction

    from adapters.ton.liteservers import Liteservers
    from adapters.ton.second_source import Sources
    from adapters.ton.settings import TonChain
    from adapters.ton.transactions import Message
    from domain.chains.model import Block
    from domain.chains.submissions import Inclusion, SignedBytes
    from domain.shared.money import AssetId, ChainId
    from ports.chain import Ours

Owners: TypeAlias = Callable[[], Awaitable[Sequence[str]]]
"""Returns the raw addresses of deposit wallets, all that were ever handed out and may be paid."""

RETURNS_SECONDS = 60
"""How much earlier than a message the block is at most in which its sender's transaction is
looked for, by clocks that do not quite agree."""
RETURNS_BLOCKS_MAX = 256

SOURCES_MAX = 2
"""How many can name a block: the liteservers, as one, and the second source."""


class NotOnThisChain(ValueError):
    """The asset is no asset of this chain."""


class TonChainReader:
    """Reads the chain through liteservers; implements `ports.chain.ChainReader`.

    What a masterchain block refers to is final, so the newest block is the final one, and nothing
    that was read is ever taken back.

    Args:
        servers: Who is asked.
        settings: The chain.
        hot_wallet: Its raw address.
        owners: Tells deposit wallets' addresses.
        sources: Who watches over the servers; they are believed if None.
    """

    def __init__(
        self,
        servers: Liteservers,
        settings: TonChain,
        *,
        hot_wallet: str,
        owners: Owners,
        sources: Sources | None = None,
    ) -> None:
        self.chain: ChainId = settings.chain
        self._settings = settings
        self._hot_wallet = hot_wallet
        self._owners = owners
        self._sources = sources
        self._scanner = Scanner(servers, sources)
        self._accounts = Accounts(servers)
        self._jettons = JettonWallets(servers)
        self._inclusions = Inclusions(self._scanner, self._accounts, settings)
        self._wallets: dict[str, JettonWallet] = {}
        self._doubts = self._scanner.doubts
        """How often liteservers had been contradicted when they named ``_wallets``."""
        self._watched: set[str] = set()
        self._finder = FactFinder(
            native=settings.native.id,
            hot_wallet=hot_wallet,
            owners=self._watched,
            wallets=self._wallets,
        )

    async def head(self) -> Head:
        """Return the newest masterchain block, which is final.

        Raises:
            ChainUnavailable: no server answered.
        """
        newest = await self._scanner.newest()
        return Head(
            latest=newest.seqno,
            safe=newest.seqno,
            final=newest.seqno,
            final_hash=newest.root_hash.hex(),
        )

    async def block(self, number: int) -> Block | None:
        """Return the masterchain block of this number, or None if there is none yet.

        Raises:
            ChainUnavailable: no server answered.
        """
        found = await self._scanner.block(number)
        return found[1] if found is not None else None

    async def agreed(self, block: Block, *, providers: int) -> bool:
        """Tell whether liteservers and, for two providers, the second source have a block.

        Liteservers are one provider, however many there are: any of them may be asked.

        Raises:
            SourcesDisagree: one has another masterchain block of that number.
            ChainUnavailable: no server answered.
        """
        there = await self._scanner.block(block.number)
        if there is None:
            return False
        name = there[0].root_hash
        if name.hex() != block.hash:
            raise SourcesDisagree(block.number, ours=block.hash, theirs=name.hex())
        if providers == 1 or self._sources is None:
            return providers == 1
        return providers <= SOURCES_MAX and await self._sources.confirms(block.number, name)

    async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
        """Return masterchain blocks and what they made final, at most `TonChain.scan_blocks`.

        What is read are accounts of ours, so there is nobody else's transfer to leave out.

        Raises:
            ChainUnavailable: no server answered, its answers do not fit together, or others
                contradicted them meanwhile.
        """
        del ours
        # The owners come second: who is paid in a block was named before that block was made.
        newest = await self._scanner.newest()
        doubts = self._scanner.doubts
        await self._name_wallets(newest)
        last = min(last, first + self._settings.scan_blocks - 1, newest.seqno)
        blocks: list[Block] = []
        observations: list[Observation] = []
        for number in range(first, last + 1):
            block = await self.block(number)
            if block is None:
                break
            if blocks and block.parent != blocks[-1].hash:
                raise ChainUnavailable(f"block {number} is not on top of the one before it")
            observations += await self._observed(block)
            blocks.append(block)
        self._must_be_believed(doubts)
        return Scan(tuple(blocks), tuple(observations))

    async def inclusions(self, hashes: Sequence[str]) -> Sequence[Inclusion]:
        """Return where messages of ours were taken in, and what has come of each.

        Args:
            hashes: Their normalized hashes (TEP-467), hexadecimal.

        Raises:
            ChainUnavailable: no server answered.
        """
        accounts = [self._hot_wallet, *await self._owners()]
        return await self._inclusions.of(hashes, accounts=accounts)

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        """Tell whether a message is in no block up to one, and can be in none that follows.

        Raises:
            ChainUnavailable: no server that has this very block answered.
        """
        # A proof by the states that liteservers tell, so not while these are not to be believed.
        await self._scanner.newest()
        return await self._inclusions.is_absent(signed, through=through)

    async def balance(self, address: str, asset: AssetId, *, at_block: int) -> Money:
        """Return what an address held after a masterchain block.

        Raises:
            NotOnThisChain: the asset is of another chain.
            ChainUnavailable: no server answered, or it does not keep the state of that block.
        """
        found = await self._scanner.block(at_block)
        if found is None:
            raise ChainUnavailable(f"block {at_block} is not there")
        if asset == self._settings.native.id:
            state = await self._accounts.state(address, found[0])
            return Money(state.coins, asset)
        jetton = self._settings.jetton_of(asset)
        if jetton is None:
            raise NotOnThisChain(asset)
        return Money(await self._jettons.held(address, jetton, found[0]), asset)

    async def balances(
        self, addresses: Sequence[str], asset: AssetId, *, at_block: int
    ) -> Sequence[Money]:
        """Return what each of many addresses held after a masterchain block.

        Raises:
            NotOnThisChain: the asset is of another chain.
            ChainUnavailable: no server answered, or it does not keep the state of that block.
        """
        return await asyncio.gather(
            *(self.balance(address, asset, at_block=at_block) for address in addresses)
        )

    async def _observed(self, block: Block) -> list[Observation]:
        found: list[Observation] = []
        for _, transactions in await self._scanner.made_final(block.number):
            for transaction in sorted(transactions, key=lambda each: each.lt):
                returned = await self._returned(transaction, block)
                facts = self._finder.facts(transaction, returned=returned)
                for position, fact in enumerate(facts):
                    key = ObservationKey(self.chain, transaction.cell.hash.hex(), position)
                    found.append(Observation(key=key, block=block, fact=fact))
        return found

    async def _returned(self, transaction: Transaction, block: Block) -> bool:
        """Tell whether coins are what a transfer of a wallet's own has not used up.

        Anybody can write that they are. They are if the transaction that sent them had taken in a
        transfer from a jetton wallet of that wallet's: then what they bring, or take where rent
        was taken with them, is in that transfer's own cost already.
        """
        message, account = taken_in(transaction), account_of(transaction)
        if message is None or (account != self._hot_wallet and account not in self._watched):
            return False
        if not is_excess(message):
            return False
        sender = await self._sender_of(message, block)
        cause = None if sender is None else taken_in(sender)
        if cause is None or InternalTransfer.parse(cause.body) is None:
            return False
        wallet = self._wallets.get(cause.source)
        return wallet is not None and wallet.owner == account

    async def _sender_of(self, message: Message, block: Block) -> Transaction | None:
        """Return the transaction that has sent a message, from this block or one before it."""
        source, created_lt = message.name
        first = max(1, block.number - RETURNS_BLOCKS_MAX)
        for number in range(block.number, first - 1, -1):
            there = await self.block(number)
            if there is None or there.time.timestamp() < message.info.created_at - RETURNS_SECONDS:
                return None
            for _, transactions in await self._scanner.made_final(number):
                for each in transactions:
                    sent = each.lt < created_lt <= each.lt + each.outmsg_cnt
                    if sent and account_of(each) == source:
                        return each
        return None

    async def _name_wallets(self, block: BlockIdExt) -> None:
        """Have the masters name the jetton wallets of owners that are new.

        Raises:
            ChainUnavailable: no server answered, or those who did were contradicted meanwhile.
        """
        doubts = self._scanner.doubts
        self._watched.update(await self._owners())
        named: dict[str, JettonWallet] = {}
        for owner in [self._hot_wallet, *self._watched]:
            for jetton in self._settings.jettons:
                wallet = await self._jettons.address(owner, jetton, block)
                named[wallet] = JettonWallet(jetton.asset.id, owner)
        self._must_be_believed(doubts)
        if doubts != self._doubts:
            self._wallets.clear()
            self._doubts = doubts
        self._wallets.update(named)

    def _must_be_believed(self, doubts: int) -> None:
        if self._scanner.doubts != doubts:
            raise ChainUnavailable("what liteservers have told was contradicted meanwhile")
