"""Liteservers that are watched: by the clock, and by a second source that tells of the chain too.

Liteservers prove what they say by a masterchain block's root hash, and name that block themselves.
Two faults are in no proof: a server, or a connection, that tells of the same old block for ever,
and one that tells of another chain. The first shows in the block's time and in how far others
have come, the second in what others call a block. Which server it was cannot be told by then, so
all that they had told is asked for again (`Liteservers.doubt`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

import attrs

from adapters.ton.liteservers import NotAccepted, SourcesDisagree
from adapters.ton.scanner import Scanner
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from typing import NoReturn

    from pytoniq_core import BlockIdExt

    from adapters.ton.liteservers import Liteservers
    from adapters.ton.settings import TonChain
    from adapters.ton.toncenter import NamedBlock, Toncenter
    from ports.clock import Clock

SILENCE_SECONDS_MAX: Final = 30.0
"""At the longest, a second source that is silent is asked again after that."""
RECONNECT_SECONDS: Final = 10.0
RECONNECT_SECONDS_MAX: Final = 300.0
"""How long the first and any later connection to liteservers may take to show a newer block: where
the whole chain stands still, connecting anew does not help."""
BROADCAST_GRACE_SECONDS: Final = 2.0
"""How long a message is still handed to one source when the other has taken it."""

log = logging.getLogger(__name__)


class LiteserversFrozen(ChainUnavailable):
    """The newest block that the liteservers name is an old one; they are being connected anew."""


class SecondSourceSilent(ChainUnavailable):
    """The second source does not answer, and nothing may be read without it."""


class Standing(Enum):
    """How it is with a source."""

    UNASKED = "unasked"
    SOUND = "sound"
    SILENT = "silent"
    """It does not answer, or too many blocks behind."""
    FROZEN = "frozen"
    DISAGREES = "disagrees"
    """With the other source, or liteservers with one another."""


@attrs.frozen
class SourceState:
    """How it is with a source, and since when.

    Attributes:
        since: When it was first found so.
        detail: Why, in words; never an address or a key.
    """

    standing: Standing
    since: datetime
    detail: str = ""


class Sources:
    """The liteservers and, where there is one, a second source. One for all that read and send.

    A disagreement ends when both are found to agree, not when the second source falls silent.

    Attributes:
        liteservers: How it is with the liteservers.
        second: How it is with the second source.

    Args:
        servers: The liteservers, connected.
        settings: How old and how far behind is too much.
        clock: What blocks' times are compared with.
        second: The second source; None where there is none, and the clock alone watches.
    """

    def __init__(
        self,
        servers: Liteservers,
        settings: TonChain,
        *,
        clock: Clock,
        second: Toncenter | None = None,
    ) -> None:
        self._servers: Final = servers
        self._settings: Final = settings
        self._clock: Final = clock
        self._second: Final = second
        self._scanner: Final = Scanner(servers)
        self._one_at_a_time: Final = asyncio.Lock()
        self._ask_again_at = 0.0
        self._silences = 0
        self._theirs: NamedBlock | None = None
        self._disagreement: SourcesDisagree | None = None
        self._reconnect_at = 0.0
        self._reconnects = 0
        now = clock.now()
        self.liteservers = SourceState(Standing.UNASKED, now)
        self.second = SourceState(Standing.UNASKED, now)

    async def newest(self) -> BlockIdExt:
        """Return the newest masterchain block's name, by the liteservers.

        Raises:
            SourcesDisagree: the second source, or another liteserver, names a block by another
                hash.
            LiteserversFrozen: it is old by the clock, or by what the second source has.
            SecondSourceSilent: the second source does not answer, and has to.
            ChainUnavailable: no liteserver answered.
        """
        try:
            name = await self._servers.newest()
            await self._check_age(name)
        except LiteserversFrozen:
            raise
        except ChainUnavailable as error:
            disagree = isinstance(error, SourcesDisagree)
            self._found(Standing.DISAGREES if disagree else Standing.SILENT, str(error))
            raise
        if self._second is not None:
            await self._consult(self._second, name)
            await self._check_second(name)
        self._reconnects, self._reconnect_at = 0, 0.0
        self._found(Standing.SOUND)
        return name

    async def confirms(self, number: int, root_hash: bytes) -> bool:
        """Tell whether there is a second source, it answers, and names a block as liteservers do.

        Raises:
            SourcesDisagree: it names that block otherwise.
        """
        if self._second is None:
            return False
        try:
            theirs = await self._second.block(number)
        except ChainUnavailable:
            return False
        if theirs.root_hash != root_hash:
            self._disagree(theirs, root_hash)
            raise SourcesDisagree(number, ours=root_hash.hex(), theirs=theirs.root_hash.hex())
        return True

    async def broadcast(self, message: bytes) -> None:
        """Hand over an external message to all; one that takes it is enough.

        Raises:
            SourcesDisagree: they tell of different chains: nothing is paid on either.
            NotAccepted: none has taken it, and to one of them the account would not as things
                stand.
            ChainUnavailable: none has answered.
        """
        if self._disagreement is not None:
            await self.newest()
        ways = [asyncio.create_task(self._servers.broadcast(message))]
        if self._second is not None:
            ways.append(asyncio.create_task(self._second.send(message)))
        try:
            refusals = await _any_done(ways)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        if refusals:
            raise min(refusals, key=lambda each: not isinstance(each, NotAccepted))

    async def _check_age(self, name: BlockIdExt) -> None:
        there = await self._scanner.block(name.seqno)
        if there is None:
            raise ChainUnavailable(f"block {name.seqno} is not there")
        if there[0].root_hash != name.root_hash:
            self._servers.doubt()
            raise SourcesDisagree(
                name.seqno, ours=name.root_hash.hex(), theirs=there[0].root_hash.hex()
            )
        age = self._clock.now() - there[1].time
        if age > timedelta(seconds=self._settings.stale_seconds):
            await self._freeze(f"block {name.seqno} is {int(age.total_seconds())} s old")

    async def _check_second(self, name: BlockIdExt) -> None:
        found, theirs = self._disagreement, self._theirs
        if found is not None:
            raise SourcesDisagree(found.number, ours=found.ours, theirs=found.theirs)
        if theirs is not None and theirs.number - name.seqno > self._settings.lag_blocks:
            await self._freeze(f"block {name.seqno} is followed by {theirs.number - name.seqno}")
        if self._settings.toncenter_required and self.second.standing is not Standing.SOUND:
            raise SecondSourceSilent(self.second.detail)

    async def _freeze(self, detail: str) -> NoReturn:
        self._found(Standing.FROZEN, detail)
        now = time.monotonic()
        if now >= self._reconnect_at:
            wait = min(RECONNECT_SECONDS_MAX, RECONNECT_SECONDS * 2 ** min(self._reconnects, 10))
            self._reconnects, self._reconnect_at = self._reconnects + 1, now + wait
            await self._servers.reconnect()
        raise LiteserversFrozen(detail)

    async def _consult(self, second: Toncenter, name: BlockIdExt) -> None:
        """Ask the second source about the newest block that both have, if it is time to."""
        async with self._one_at_a_time:
            if time.monotonic() < self._ask_again_at:
                return
            try:
                theirs = await second.newest()
                common = theirs if theirs.number <= name.seqno else await second.block(name.seqno)
            except ChainUnavailable as error:
                self._silent(str(error))
                return
            ours = await self._named_by_liteservers(common.number, name)
            if ours is not None and ours != common.root_hash:
                self._disagree(common, ours)
            elif ours is None or name.seqno - theirs.number > self._settings.lag_blocks:
                self._silent(f"it is {name.seqno - theirs.number} blocks behind")
            else:
                self._agree(theirs)

    async def _named_by_liteservers(self, number: int, newest: BlockIdExt) -> bytes | None:
        if number == newest.seqno:
            return newest.root_hash
        there = await self._scanner.block(number)
        return None if there is None else there[0].root_hash

    def _disagree(self, theirs: NamedBlock, ours: bytes) -> None:
        found = SourcesDisagree(theirs.number, ours=ours.hex(), theirs=theirs.root_hash.hex())
        self._disagreement, self._theirs = found, None
        self._servers.doubt()
        self._answered(Standing.DISAGREES, str(found))

    def _agree(self, theirs: NamedBlock) -> None:
        if self._disagreement is not None:
            self._servers.doubt()  # Whatever was read of them meanwhile.
        self._disagreement, self._theirs = None, theirs
        self._answered(Standing.SOUND)

    def _answered(self, standing: Standing, detail: str = "") -> None:
        self._silences = 0
        self._ask_again_at = time.monotonic() + self._settings.toncenter_seconds
        self.second = self._changed("second source", self.second, standing, detail=detail)

    def _silent(self, detail: str) -> None:
        self._theirs = None
        wait = self._settings.toncenter_seconds * 2 ** min(self._silences, 10)
        self._silences += 1
        self._ask_again_at = time.monotonic() + min(SILENCE_SECONDS_MAX, wait)
        if self._disagreement is None:
            self.second = self._changed(
                "second source", self.second, Standing.SILENT, detail=detail
            )

    def _found(self, standing: Standing, detail: str = "") -> None:
        self.liteservers = self._changed("liteservers", self.liteservers, standing, detail=detail)

    def _changed(
        self, who: str, before: SourceState, standing: Standing, *, detail: str = ""
    ) -> SourceState:
        """Return the new state, and log it where it is another."""
        if before.standing is standing:
            return attrs.evolve(before, detail=detail)
        level = logging.INFO if standing is Standing.SOUND else logging.WARNING
        log.log(level, "TON's %s: %s. %s", who, standing.value, detail)
        return SourceState(standing, self._clock.now(), detail)


async def _any_done(ways: list[asyncio.Task[None]]) -> list[BaseException]:
    """Wait until one has succeeded, and a little for the others; return why none has, if so."""
    pending = set(ways)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if any(each.exception() is None for each in done):
            if pending:
                await asyncio.wait(pending, timeout=BROADCAST_GRACE_SECONDS)
            return []
    return [error for each in ways if (error := each.exception()) is not None]
