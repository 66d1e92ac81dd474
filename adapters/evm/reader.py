"""Reading an EVM chain: heads, blocks, facts, inclusions and balances."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from adapters.evm.abi import address_of, address_word, selector, words_of
from adapters.evm.bloom import BloomWatch
from adapters.evm.coins import COIN_POSITION, CoinSource
from adapters.evm.collector_abi import missed
from adapters.evm.escrow_abi import PAYMENTS
from adapters.evm.facts import Credited, EventReader, with_pushes
from adapters.evm.heads import HeadSource, block_of
from adapters.evm.logs import LogSource
from adapters.evm.names import is_native, token_of
from adapters.evm.release_batches import left_alone
from adapters.evm.rpc import Call
from adapters.evm.wire import BODY, BYTES, HEADER, QUANTITY, RECEIPT, Body, number
from domain.chains.model import (
    EscrowRefunded,
    EscrowReleased,
    EscrowResolved,
    Observation,
    ObservationKey,
    Scan,
)
from domain.chains.submissions import Inclusion
from domain.shared.money import Money
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.evm.node import EvmNode
    from adapters.evm.providers import Provider
    from adapters.evm.wire import BlockHeader, Log, Receipt
    from domain.chains.model import Block, Fact, Head
    from domain.chains.submissions import SignedBytes
    from domain.shared.ids import EscrowId
    from domain.shared.money import AssetId, ChainId
    from ports.chain import Ours

_BALANCE_OF = selector("balanceOf(address)")
_PAYMENTS = selector(PAYMENTS)


class EvmChainReader:
    """Reads one chain through its providers; implements `ports.chain.ChainReader`.

    Every answer is checked against the others: a block's parent is the block before it, an event's
    block is the block that was read. What does not fit is no answer.
    """

    def __init__(self, node: EvmNode) -> None:
        self.chain: ChainId = node.chain.chain
        self._node: Final = node
        self._settings: Final = node.chain
        self._events: Final = EventReader(node.chain)
        self._heads: Final = HeadSource(node)
        self._coins: Final = CoinSource(node.chain)
        self._logs: Final = LogSource(
            emitters=self._events.emitters,
            topics=self._events.topics,
            bloom=BloomWatch(self._events.watched),
            span_max=node.chain.scan_blocks,
        )

    async def head(self) -> Head:
        """Return the latest block's number, the safe one's, and the final one's with its name.

        Raises:
            ChainUnavailable: no node answered, it does not know its own tags, or several do not
                agree on what is final.
        """
        return await self._heads.read()

    async def block(self, number: int) -> Block | None:
        """Return the block that has this number now, or None.

        Raises:
            ChainUnavailable: no node answered.
        """
        call = Call("eth_getBlockByNumber", [hex(number), False])
        header = await self._node.call(call, answer=HEADER)
        if header is None:
            return None
        block = block_of(header)
        if block.number != number:
            raise ChainUnavailable(f"asked for block {number}, got {block.number}")
        return block

    async def agreed(self, block: Block, *, providers: int) -> bool:
        """Ask all providers for the block of that number, and count who has this very one.

        Raises:
            ProvidersDisagree: one has another block there.
        """
        return await self._heads.agreed(block, providers=providers)

    async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
        """Return blocks and the facts in them, at most `EvmChain.scan_blocks` of them.

        All that is in one scan is by the word of one provider.

        Raises:
            ChainUnavailable: no node answered, or its answers do not fit together.
        """
        return await self._node.steadily(
            lambda provider: self._scan(provider, first, last, ours), asked_for="eth_getLogs"
        )

    async def _scan(self, provider: Provider, first: int, last: int, ours: Ours | None) -> Scan:
        last = min(last, first + provider.span - 1)
        headers = await self._headers(provider, first, last)
        if not headers:
            return Scan((), ())
        covered, logs = await self._logs.read(provider, headers, ours=ours)
        blocks = tuple(block_of(header) for header in covered)
        by_number = {block.number: block for block in blocks}
        observations = tuple(
            Observation(
                key=ObservationKey(
                    self.chain, log.transaction_hash.lower(), number(log.log_index)
                ),
                block=by_number[number(log.block_number)],
                fact=fact,
            )
            for log, fact in await self._facts(provider, logs)
        )
        bodies = [header for header in covered if isinstance(header, Body)]
        coins = tuple(
            Observation(
                key=ObservationKey(self.chain, transaction, COIN_POSITION),
                block=by_number[number(body.number)],
                fact=transfer,
            )
            for body, transaction, transfer in await self._coins.read(provider, bodies, ours=ours)
        )
        found = sorted(coins + observations, key=lambda it: (it.block.number, it.key.position))
        return Scan(blocks, tuple(found), provider=provider.name)

    async def inclusions(self, hashes: Sequence[str]) -> Sequence[Inclusion]:
        """Return where transactions were included, and what they cost in the native coin.

        Raises:
            ChainUnavailable: no node answered.
        """
        calls = [Call("eth_getTransactionReceipt", [hash]) for hash in hashes]
        receipts = await self._node.batch(calls, answer=RECEIPT)
        found: list[Inclusion] = []
        for hash, receipt in zip(hashes, receipts, strict=True):
            if receipt is None:
                continue
            if receipt.transaction_hash.lower() != hash.lower():
                raise ChainUnavailable(f"asked for {hash}, got {receipt.transaction_hash}")
            found.append(self._inclusion(receipt))
        return found

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        """Say that it cannot be told: what is signed here has no last moment."""
        del signed, through
        return False

    async def balance(self, address: str, asset: AssetId, *, at_block: int) -> Money:
        """Return what an address held after a block; the asset is of this chain.

        Raises:
            NotOnThisChain: it is not.
            ChainUnavailable: no node answered, or it does not keep the state of that block.
        """
        [held] = await self.balances([address], asset, at_block=at_block)
        return held

    async def balances(
        self, addresses: Sequence[str], asset: AssetId, *, at_block: int
    ) -> Sequence[Money]:
        """Return what each of many addresses held after a block, asked for in batches.

        Raises:
            NotOnThisChain: the asset is of another chain.
            ChainUnavailable: no node answered, or it does not keep the state of that block.
        """
        if is_native(asset, chain=self.chain):
            calls = [Call("eth_getBalance", [address, hex(at_block)]) for address in addresses]
            coins = await self._node.batch(calls, answer=QUANTITY)
            return [Money(number(held), asset) for held in coins]
        token = token_of(asset, chain=self.chain)
        calls = [
            Call("eth_call", [{"to": token, "data": _balance_of(address)}, hex(at_block)])
            for address in addresses
        ]
        held = []
        for told in await self._node.batch(calls, answer=BYTES):
            words = words_of(told)
            if words is None or len(words) != 1:
                raise ChainUnavailable(f"{asset} does not tell balances")
            held.append(Money(int(words[0], 16), asset))
        return held

    async def _headers(self, provider: Provider, first: int, last: int) -> list[BlockHeader]:
        """Return the headers of a range up to its end or the chain's, each its next's parent."""
        whole = self._settings.shows_coins
        calls = [Call("eth_getBlockByNumber", [hex(at), whole]) for at in range(first, last + 1)]
        answers = await provider.batch(calls, answer=BODY if whole else HEADER)
        headers = [header for header in answers if header is not None]
        for at, (answer, header) in enumerate(zip(answers, headers, strict=False)):
            if answer is not header or number(header.number) != first + at:
                raise ChainUnavailable(f"block {first + at} is missing from the answer")
            if at and header.parent_hash.lower() != headers[at - 1].hash.lower():
                raise ChainUnavailable(f"block {first + at} is not on top of the one before it")
        return headers

    async def _facts(self, provider: Provider, logs: Sequence[Log]) -> list[tuple[Log, Fact]]:
        """Read logs in the chain's order, credits merged into the facts they belong to."""
        facts: list[tuple[Log, Fact]] = []
        credits: defaultdict[tuple[str, EscrowId], list[Credited]] = defaultdict(list)
        for log in logs:
            read = self._events.read(log)
            if isinstance(read, Credited):
                credits[log.transaction_hash, read.escrow_id].append(read)
            elif read is not None:
                facts.append((log, read))
        if not credits:
            return facts
        merged: list[tuple[Log, Fact]] = []
        for log, fact in facts:
            payer: str | None = None
            of_fact: list[Credited] = []
            if isinstance(fact, EscrowReleased | EscrowRefunded | EscrowResolved):
                of_fact = credits.get((log.transaction_hash, fact.escrow_id), [])
            # The event of a split does not name its two sides; the contract knows the payer.
            if isinstance(fact, EscrowResolved) and len(of_fact) == 1:
                payer = await self._payer(provider, fact.escrow_id, log)
            merged.append((log, with_pushes(fact, of_fact, payer=payer)))
        return merged

    async def _payer(self, provider: Provider, escrow_id: EscrowId, log: Log) -> str:
        request = {"to": self._settings.escrow, "data": "0x" + _PAYMENTS.hex() + escrow_id[2:]}
        call = Call("eth_call", [request, log.block_number])
        words = words_of(await provider.call(call, answer=BYTES))
        payer = address_of(words[0]) if words else None
        if payer is None:
            raise ChainUnavailable("the escrow contract does not tell who paid")
        return payer

    def _inclusion(self, receipt: Receipt) -> Inclusion:
        cost = number(receipt.gas_used) * number(receipt.effective_gas_price)
        if receipt.l1_fee is not None:
            cost += number(receipt.l1_fee)
        return Inclusion(
            hash=receipt.transaction_hash.lower(),
            block_number=number(receipt.block_number),
            block_hash=receipt.block_hash.lower(),
            succeeded=number(receipt.status) == 1,
            cost=Money(cost, self._settings.native),
            failed=left_alone(receipt.logs, escrow=self._settings.escrow)
            | missed(receipt.logs, collector=self._settings.collector),
        )


def _balance_of(address: str) -> str:
    return "0x" + (_BALANCE_OF + address_word(address)).hex()
