"""What liteservers have told and are not asked for again, unless they come to be doubted."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from adapters.ton.liteservers import Liteservers

K = TypeVar("K", bound="Hashable")
T = TypeVar("T")


class Remembered(Generic[K, T]):
    """Answers that never change, as long as those who gave them are believed.

    Args:
        servers: Whose answers they are.
        most: How many are kept; the oldest go first.
    """

    def __init__(self, servers: Liteservers, *, most: int) -> None:
        self._servers: Final = servers
        self._most: Final = most
        self._kept: Final[OrderedDict[K, T]] = OrderedDict()
        self._doubts = servers.doubts

    async def get(self, key: K, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what is known, or what ``ask`` brings."""
        doubts = self._servers.doubts
        if doubts != self._doubts:
            self._kept.clear()
            self._doubts = doubts
        if key in self._kept:
            return self._kept[key]
        value = await ask()
        # What was asked for before a doubt came up is not to be believed after it.
        if doubts == self._doubts == self._servers.doubts:
            self._kept[key] = value
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value
