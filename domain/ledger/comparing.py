"""What the books say our places on a chain hold, and what the chain says, after one block."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from domain.chains.model import Cursor
from domain.chains.places import Places
from domain.customers.reach import reach_of
from domain.ledger.accounts import Account
from domain.shared.money import AssetId, Assets, ChainId, chain_of
from ports.chain import ChainReader
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.chains.model import Block
    from domain.chains.submissions import Submission
    from domain.ledger.model import Balance

IN_FLIGHT_MAX = 64
"""How many of our own transactions are asked for before a verdict."""

AT_ONCE = 500
"""How many balances are asked for in one call."""

BROUGHT_IN = "brought_in"
"""The kind of booking by which coins come into the books that an operator has sent us."""

BROUGHT_IN_MAX = 100
"""How many bookings that take effect after a block are looked through for such coins."""


@attrs.frozen
class CoverageMissing(Exception):
    """The chain has not been read yet, so there is nothing to compare the books with."""

    chain: ChainId


@attrs.frozen
class Place:
    """An account of what we hold of an asset on a chain, and the addresses it stands for."""

    chain: ChainId
    account: Account
    asset: AssetId
    addresses: Sequence[str] = attrs.field(eq=False)
    grows_unseen: bool
    """Coins come without a log, and nobody watches what comes to a cold wallet. What nobody has
    booked there is no reason to stop, or a stranger could stop payouts with one coin."""

    def conserved(self, *, books: int, chain: int) -> bool:
        """Tell whether all that was booked is there."""
        return chain >= books if self.grows_unseen else chain == books


@attrs.frozen
class Comparison:
    """What the books say a place holds, and what the chain says, after one block."""

    account: Account
    asset: AssetId
    block: int
    books: int
    chain: int

    @property
    def agree(self) -> bool:
        """Tell whether they agree, to the last unit."""
        return self.books == self.chain


@attrs.frozen
class Books:
    """What is booked of a chain, as of its cursor: nothing came in between."""

    cursor: Cursor
    booked: Mapping[tuple[Account, AssetId], int]
    places: Sequence[Place]
    in_flight: Sequence[str]
    """The hashes of our own transactions whose end is not booked yet."""
    may_be_there: Collection[str]
    """Those that a block up to the last final one may have taken in, on a chain where they come
    into effect some blocks later and have a last moment. Past that moment, too: what has not been
    found then is in no block only once a node has said so, and its end is booked with that."""

    @property
    def block(self) -> Block:
        """The block up to which all is booked."""
        return self.cursor.final


@attrs.frozen
class Comparing:
    """Sets the books against a chain."""

    begin: Begin
    assets: Assets
    readers: Mapping[ChainId, ChainReader]
    places: Mapping[ChainId, Places]

    async def compare(self, *, chain: ChainId) -> Sequence[Comparison]:
        """Compare the books with the chain after the last block that is booked as final.

        Raises:
            ChainUnavailable: no node answered.
            CoverageMissing: the chain has not been read yet.
        """
        books = await self.read(chain=chain)
        return [await self.at(books, place) for place in books.places]

    async def read(self, *, chain: ChainId) -> Books:
        """Read what is booked, under the cursor's lock: no watcher books in between.

        Raises:
            CoverageMissing: the chain has not been read yet.
        """
        places = self.places[chain]
        async with self.begin() as work:
            cursor = await work.chains.lock_cursor(chain)
            if cursor is None:
                raise CoverageMissing(chain)
            balances = [
                *await work.ledger.balances(prefix=places.custody),
                *await work.ledger.balances(prefix=places.gas),
            ]
            deposit_addresses = [
                *await work.intents.deposit_addresses(chain=chain),
                *await work.customers.issued(reach=reach_of(chain, places.mode)),
            ]
            in_flight = await work.chains.in_flight(chain, limit=IN_FLIGHT_MAX)
        return Books(
            cursor=cursor,
            booked={(it.account, it.money.asset): it.money.amount for it in balances},
            places=[*self._places(places, deposit_addresses), *self._cold(places, balances)],
            in_flight=[hash for it in in_flight for hash in it.hashes],
            may_be_there=[hash for it in in_flight for hash in _may_be_there(it, cursor.final)],
        )

    async def at(self, books: Books, place: Place) -> Comparison:
        """Compare one place.

        Raises:
            ChainUnavailable: no node answered.
        """
        block = books.block.number
        booked = books.booked.get((place.account, place.asset), 0)
        held = await self.held(place, block=block)
        if place.grows_unseen and booked > held:
            booked -= await self._brought_in_after(books.block, place)
        return Comparison(place.account, place.asset, block, booked, held)

    async def _brought_in_after(self, block: Block, place: Place) -> int:
        """Return what was booked of coins that came in later than a block, smallest units.

        Before a chain is read at all, the gas tank is booked by its newest block. Reading begins
        long before that one, and until it comes there the coins have yet to arrive.
        """
        async with self.begin() as work:
            later = await work.ledger.taking_effect(
                place.account, place.asset, after=block.time, until=None, limit=BROUGHT_IN_MAX
            )
        return sum(
            posting.money.amount
            for booked in later
            for posting in booked.transaction.postings
            if booked.transaction.kind == BROUGHT_IN
            and (posting.account, posting.money.asset) == (place.account, place.asset)
        )

    async def held(self, place: Place, *, block: int) -> int:
        """Return what all addresses of a place held after a block, smallest units.

        Raises:
            ChainUnavailable: no node answered, or none keeps the state of that block.
        """
        reader, total = self.readers[place.chain], 0
        for first in range(0, len(place.addresses), AT_ONCE):
            some = place.addresses[first : first + AT_ONCE]
            found = await reader.balances(some, place.asset, at_block=block)
            total += sum(money.amount for money in found)
        return total

    def _cold(self, places: Places, balances: Sequence[Balance]) -> list[Place]:
        """Return the cold wallet's tokens; without an address what is booked there is nowhere."""
        addresses = [places.cold_wallet] if places.cold_wallet else []
        booked = {it.money.asset for it in balances if it.account == places.cold and it.money}
        return [
            Place(places.chain, places.cold, asset, addresses, grows_unseen=True)
            for asset in self.assets.by_id
            if chain_of(asset) == places.chain and asset != places.native
            if addresses or asset in booked
        ]

    def _places(self, places: Places, deposit_addresses: Sequence[str]) -> list[Place]:
        found = []
        for asset in self.assets.by_id:
            if chain_of(asset) != places.chain:
                continue
            spots: list[tuple[Account, Sequence[str]]] = [
                (places.pays_from(asset), [places.hot_wallet]),
                (places.escrow, [places.escrow_contract] if places.escrow_contract else []),
                (places.deposits, deposit_addresses),
            ]
            found += [
                Place(places.chain, account, asset, addresses, grows_unseen=asset == places.native)
                for account, addresses in spots
            ]
        return found


def _may_be_there(submission: Submission, final: Block) -> Iterator[str]:
    """Yield what was signed with a last moment, before the final block was read."""
    if submission.signed_after is not None and submission.signed_after >= final.number:
        return
    for signed in submission.attempts:
        if signed.valid_until is not None:
            yield signed.hash
