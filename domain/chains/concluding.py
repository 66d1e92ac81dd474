"""The end of our own transactions: in a final block, or never any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.outcomes import Outcomes
from domain.chains.places import Places
from domain.chains.submissions import IN_FLIGHT
from domain.shared.money import Assets
from ports.chain import ChainUnavailable
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.chains.model import Block, Cursor
    from domain.chains.submissions import Inclusion, Submission
    from ports.chain import ChainReader
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class Concluding:
    """Ends what is in flight on one chain, by what the chain has said for good."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    places: Places

    async def conclude(
        self,
        work: UnitOfWork,
        cursor: Cursor,
        final: Block,
        in_flight: Sequence[Submission],
        inclusions: Sequence[Inclusion],
        *,
        at: datetime,
    ) -> None:
        """Close our own transactions that are in final blocks, and what they were for.

        Raises:
            ChainUnavailable: one is in another block than the one that was read under its
                number; nodes that disagree are no proof of anything.
        """
        by_hash = {inclusion.hash: inclusion for inclusion in inclusions}
        kept = await work.chains.remembered(
            cursor.chain, first=cursor.final.number, last=final.number
        )
        read = {block.number: block for block in kept}
        for listed in in_flight:
            # Of all that was signed with a number, a chain takes one.
            inclusion = next((by_hash[hash] for hash in listed.hashes if hash in by_hash), None)
            if inclusion is None or not inclusion.settled:
                continue
            if inclusion.block_number > final.number:
                continue
            if inclusion.block_number in read and (
                inclusion.block_hash != read[inclusion.block_number].hash
            ):
                raise ChainUnavailable(f"{inclusion.hash} is in a block that was not read")
            submission = await work.chains.lock_submission(listed.id)
            if submission.state not in IN_FLIGHT:
                continue
            ended = submission.conclude(inclusion)
            await work.chains.save_submission(ended)
            # One that was final before is no longer kept; it was seen to lead to the final one.
            block = read.get(inclusion.block_number, cursor.final)
            await self._outcomes.concluded(work, ended, inclusion, block_time=block.time, at=at)

    async def expire(
        self, cursor: Cursor, waiting: Sequence[Submission], reader: ChainReader
    ) -> None:
        """End our own transactions whose last moment was before the final block, without them.

        Raises:
            ChainUnavailable: no node that has this very block answered.
        """
        final = cursor.final
        for listed in waiting:
            if not listed.lapsed(at=final.time):
                continue
            absent = [await reader.is_absent(it, through=final) for it in listed.attempts]
            if not all(absent):
                continue
            async with self.begin() as work:
                # Final is what the cursor says; who parks the chain has found that it was not.
                if await work.chains.lock_cursor(cursor.chain) != cursor:
                    return
                submission = await work.chains.lock_submission(listed.id)
                if submission.state not in IN_FLIGHT or submission.hashes != listed.hashes:
                    continue
                expired = submission.expire(at=final.time)
                await work.chains.save_submission(expired)
                at = self.clock.now()
                await self._outcomes.expired(work, expired, block_time=final.time, at=at)
                await work.commit()

    @property
    def _outcomes(self) -> Outcomes:
        return Outcomes(self.ids, self.assets, self.places)
