"""Use cases of conservation: what the books hold is on the chain, or the asset stands still."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs

from domain.ledger.comparing import Books, Comparing, Comparison, CoverageMissing, Place
from domain.ledger.divergence import Divergence
from domain.ledger.parking import ParkedAsset
from domain.shared.platform import PlatformEvent, happened
from ports.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.events import Event
    from domain.shared.money import AssetId, ChainId

log = logging.getLogger(__name__)


@attrs.frozen
class Conservation:
    """Compares the books with the chains all the time, and parks an asset where they differ."""

    comparing: Comparing
    clock: Clock

    async def reconcile(self, *, chain: ChainId) -> Sequence[ParkedAsset]:
        """Compare a chain's places with the books; return the assets that were parked for it.

        An asset is parked when books and chain differ at two looks one after the other, and the
        first entry that differs is named. While nothing certain can be said, because the chain is
        parked or its node shows another chain than was read, nothing is concluded.

        Raises:
            ChainUnavailable: no node answered.
        """
        first = await self._look(chain)
        if not first:
            return ()
        await self._agree([look for look in first if look.conserved])
        suspects = {look.place for look in first if not look.conserved}
        if not suspects:
            return ()
        second = [look for look in await self._look(chain) if look.place in suspects]
        parked: dict[AssetId, ParkedAsset] = {}
        for look in second:
            if not look.conserved and look.place.asset not in parked:
                found = await self._park(look)
                if found is not None:
                    parked[found.asset] = found
        return list(parked.values())

    async def parked(self) -> Sequence[ParkedAsset]:
        """Return every asset that stands still."""
        async with self.comparing.begin() as work:
            return await work.parking.all()

    async def resume(self, *, asset: AssetId) -> bool:
        """Let an asset move again, by a person's decision; return False if it was not parked."""
        async with self.comparing.begin() as work:
            resumed = await work.parking.resume(asset)
            if resumed:
                at = self.clock.now()
                await work.events.record(happened(PlatformEvent.ASSET_RESUMED, asset, at=at))
            await work.commit()
        if resumed:
            log.warning("%s moves again", asset)
        return resumed

    async def _look(self, chain: ChainId) -> Sequence[_Look]:
        """Look at every place once; see nothing where nothing certain can be said."""
        try:
            books = await self.comparing.read(chain=chain)
        except CoverageMissing:
            return ()
        reader = self.comparing.readers[chain]
        block = await reader.block(books.block.number)
        if not books.cursor.may_decide or block is None or block.hash != books.block.hash:
            return ()
        looks = [await self._at(books, place) for place in books.places]
        if all(look.conserved for look in looks):
            return looks
        # A transaction of ours may be in a final block before its end is booked.
        included = await reader.inclusions(books.in_flight) if books.in_flight else ()
        if any(inclusion.shows_from <= books.block.number for inclusion in included):
            return ()
        # A node may show what one has moved, and not know where it is.
        if not {inclusion.hash for inclusion in included}.issuperset(books.may_be_there):
            return ()
        return looks

    async def _at(self, books: Books, place: Place) -> _Look:
        it = await self.comparing.at(books, place)
        surplus = None
        if it.books < it.chain and place.grows_unseen:
            more = it.chain - it.books
            surplus = await Divergence(self.comparing).surplus(books, place, more=more)
            if surplus is None:
                log.warning("not booked: %s", _told(it))
        return _Look(books, place, it, surplus)

    async def _agree(self, looks: Sequence[_Look]) -> None:
        """Note from which block on a later difference has to be looked for."""
        async with self.comparing.begin() as work:
            for look in looks:
                place = look.place
                await work.parking.checkpoint(
                    place.account, place.asset, block=look.comparison.block
                )
            await work.commit()

    async def _park(self, look: _Look) -> ParkedAsset | None:
        asset = look.place.asset
        async with self.comparing.begin() as work:
            if await work.parking.of(asset) is not None:
                return None
        entry = look.surplus
        if entry is None:
            entry = await Divergence(self.comparing).first_entry(look.books, look.place)
        parked = ParkedAsset(asset, _told(look.comparison), entry, self.clock.now())
        async with self.comparing.begin() as work:
            new = await work.parking.park(parked)
            if new:
                await work.events.record(_parked(parked))
            await work.commit()
        if new:
            log.error("parked %s: %s; first: %s", asset, parked.reason, entry)
        return parked if new else None


@attrs.frozen
class _Look:
    books: Books = attrs.field(eq=False)
    place: Place
    comparison: Comparison
    surplus: str | None
    """The entry for which there is more on the chain than in the books, where it is one."""

    @property
    def conserved(self) -> bool:
        it = self.comparison
        return self.surplus is None and self.place.conserved(books=it.books, chain=it.chain)


def _parked(it: ParkedAsset) -> Event:
    return happened(
        PlatformEvent.ASSET_PARKED, it.asset, at=it.at, reason=it.reason, first_entry=it.entry
    )


def _told(it: Comparison) -> str:
    return (
        f"{it.account} has {it.books} in the books and {it.chain} on the chain"
        f" after block {it.block}: {it.chain - it.books:+d}"
    )
