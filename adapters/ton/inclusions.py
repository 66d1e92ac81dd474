"""Where messages of ours were taken in, by their normalized hashes.

New ones are found in the blocks that are read anyway. What came before this process began to read
is looked for once, in the transactions of our own accounts, from the newest one backwards.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import attrs

from adapters.ton.external import normalized_hash
from adapters.ton.traces import Step, Trace
from adapters.ton.transactions import account_of
from domain.chains.submissions import Inclusion
from domain.shared.money import Money
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytoniq_core import BlockIdExt
    from pytoniq_core.tlb.transaction import Transaction

    from adapters.ton.accounts import Accounts, Found
    from adapters.ton.scanner import Scanner
    from adapters.ton.settings import TonChain
    from domain.chains.model import Block
    from domain.chains.submissions import SignedBytes

LOOKED_BACK_MAX: Final = 2_000
"""Most transactions of one account that are looked through for messages of ours. What is older is
found when somebody asks whether it is absent."""
ABSENCE_MAX: Final = 100_000
"""The same for that question: where there are more, nobody can tell."""
ACCOUNTS_AT_ONCE: Final = 16
REMEMBERED: Final = 10_000
"""Most messages of ours that are kept in mind."""


class Inclusions:
    """Finds messages of ours, and follows each to its end."""

    def __init__(self, scanner: Scanner, accounts: Accounts, settings: TonChain) -> None:
        self._scanner: Final = scanner
        self._accounts: Final = accounts
        self._settings: Final = settings
        self._one_at_a_time: Final = asyncio.Lock()
        self._doubts = scanner.doubts
        self._read_through: int | None = None
        self._looked_back: Final[set[str]] = set()
        self._earlier: Final[OrderedDict[str, Found]] = OrderedDict()
        self._traces: Final[OrderedDict[str, Trace]] = OrderedDict()

    async def of(self, hashes: Sequence[str], *, accounts: Collection[str]) -> list[Inclusion]:
        """Return what became of messages; one that is in no block is left out.

        Args:
            hashes: Normalized hashes, hexadecimal.
            accounts: The raw addresses of the wallets that may have sent them.

        Raises:
            ChainUnavailable: no server answered.
        """
        found = []
        async with self._one_at_a_time:
            newest = await self._scanner.newest()
            self._forget_what_is_doubted()
            await self._read(newest, accounts)
            for hash in hashes:
                trace = await self._trace(hash)
                if trace is not None:
                    await trace.follow(self._scanner, through=newest.seqno)
                    found.append(await self._inclusion(hash, trace))
        return found

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        """Tell whether a message is in no block up to one, and can be in none that follows.

        A masterchain block may be later than the shards' blocks that it makes final, so it is
        these that must have passed the last moment.

        Raises:
            ChainUnavailable: no server that has this very block answered.
        """
        there = await self._scanner.block(through.number)
        if there is None or there[1].hash != through.hash:
            raise ChainUnavailable(f"no server has block {through.number} as it is asked about")
        last_moment = signed.valid_until
        if last_moment is None:
            return False
        until = int(last_moment.timestamp())
        if await self._scanner.earliest_top(through.number) <= until:
            return False
        state = await self._accounts.state(signed.sender, there[0])
        if state.last is None:
            return False
        since, seen = until - 2 * self._settings.message_seconds, 0
        async for transaction, shard_block in self._accounts.history(signed.sender, state):
            seen += 1
            if transaction.now < since:
                break
            if seen > ABSENCE_MAX or self._note(transaction, shard_block) == signed.hash:
                return False
        return True

    def _forget_what_is_doubted(self) -> None:
        if self._doubts != self._scanner.doubts:
            self._doubts, self._read_through = self._scanner.doubts, None
            for told in (self._looked_back, self._earlier, self._traces):
                told.clear()

    async def _read(self, newest: BlockIdExt, accounts: Collection[str]) -> None:
        """Take notice of all messages of ours up to the newest block."""
        through = self._read_through
        if through is None or newest.seqno - through > self._settings.scan_blocks:
            self._looked_back.clear()
            through = newest.seqno
        unknown = [each for each in accounts if each not in self._looked_back]
        for first in range(0, len(unknown), ACCOUNTS_AT_ONCE):
            some = unknown[first : first + ACCOUNTS_AT_ONCE]
            await asyncio.gather(*(self._look_back(each, newest) for each in some))
            self._looked_back.update(some)
        for number in range(through + 1, newest.seqno + 1):
            for _, transactions in await self._scanner.made_final(number):
                for transaction in transactions:
                    if account_of(transaction) in self._looked_back:
                        self._begin(_hash_of(transaction), Step(transaction, number))
            self._read_through = number
        self._read_through = max(newest.seqno, self._read_through or 0)

    async def _look_back(self, account: str, newest: BlockIdExt) -> None:
        state, seen = await self._accounts.state(account, newest), 0
        async for transaction, block in self._accounts.history(account, state):
            seen += 1
            if seen > LOOKED_BACK_MAX:
                return
            self._note(transaction, block)

    def _note(self, transaction: Transaction, block: BlockIdExt) -> str | None:
        hash = _hash_of(transaction)
        if hash is not None and hash not in self._traces:
            self._earlier[hash] = transaction, block
            if len(self._earlier) > REMEMBERED:
                self._earlier.popitem(last=False)
        return hash

    def _begin(self, hash: str | None, root: Step) -> None:
        if hash is not None and hash not in self._traces:
            self._traces[hash] = Trace(root)
            self._earlier.pop(hash, None)
            if len(self._traces) > REMEMBERED:
                self._traces.popitem(last=False)

    async def _trace(self, hash: str) -> Trace | None:
        if hash not in self._traces and hash in self._earlier:
            transaction, block = self._earlier[hash]
            number = await self._scanner.finalized_by(block)
            self._begin(hash, Step(transaction, number))
        return self._traces.get(hash)

    async def _inclusion(self, hash: str, trace: Trace) -> Inclusion:
        there = await self._scanner.block(trace.block)
        if there is None:
            raise ChainUnavailable(f"block {trace.block} is not there any more")
        inclusion = Inclusion(
            hash=hash,
            block_number=trace.block,
            block_hash=there[1].hash,
            succeeded=True,
            cost=Money(trace.cost, self._settings.native.id),
            settled=trace.settled,
            landed=trace.root.block,
        )
        if not trace.settled:
            return inclusion
        # What has failed altogether has no effect; parts are named where others have arrived.
        failed = trace.failed if trace.succeeded else frozenset()
        return attrs.evolve(inclusion, succeeded=trace.succeeded, failed=failed)


def _hash_of(transaction: Transaction) -> str | None:
    """Return the normalized hash of the message from outside that a transaction has taken in."""
    message = transaction.in_msg
    if message is None or not message.is_external:
        return None
    return normalized_hash(message.serialize()).hex()
