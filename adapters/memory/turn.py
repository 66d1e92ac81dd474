"""A unit of work's turn at the store: waiting for it, holding it, and what was locked in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

from domain.shared.idempotency import KeyInFlight

if TYPE_CHECKING:
    from adapters.memory.store import Store, Tables
    from domain.shared.ids import MerchantId


class UnitOfWorkOver(RuntimeError):
    """A unit of work was used after its commit or its end. A mistake in the caller."""


class NestedUnitOfWork(RuntimeError):
    """A task that holds the store has asked for it again, and would wait for itself for ever."""


class NotLocked(RuntimeError):
    """Something was saved that was not locked in this unit of work. A mistake in the caller.

    A database would let a concurrent change be lost without a word; here it is found at once.
    """

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"{kind} {id} was not locked")
        self.kind = kind
        self.id = id


class Turn:
    """One unit of work's turn. It begins with the first look at the tables."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._holds = False
        self._over = False
        self._failure: Exception | None = None
        self._locked: set[tuple[str, str]] = set()
        self._keys: set[tuple[MerchantId, str]] = set()

    async def tables(self) -> Tables:
        """Return the tables, once no other unit of work is under way."""
        if self._over:
            raise UnitOfWorkOver
        if self._failure is not None:
            raise self._failure
        if not self._holds:
            task = _current_task()
            if task is not None and self.store.held_by is task:
                raise NestedUnitOfWork
            await self.store.turns.acquire()
            self._holds = True
            self.store.held_by = task
        return self.store.tables

    def next_deposit_index(self) -> int:
        """Draw a deposit index, without waiting and for good."""
        return next(self.store.deposit_indices)

    def take_key(self, owner: MerchantId, key: str) -> None:
        """Take an idempotency key until the end of the turn, without waiting.

        Raises:
            KeyInFlight: another unit of work has it.
        """
        if (owner, key) in self._keys:
            return
        if (owner, key) in self.store.keys_in_flight:
            raise KeyInFlight(key)
        self._keys.add((owner, key))
        self.store.keys_in_flight.add((owner, key))

    def refuse(self, failure: Exception) -> NoReturn:
        """Refuse a write, and all that follows: as in a database, the unit of work is lost."""
        self._failure = failure
        raise failure

    def lock(self, kind: str, id: str) -> None:
        """Note that an object may be saved in this turn."""
        self._locked.add((kind, id))

    def must_hold(self, kind: str, id: str) -> None:
        """Check that an object may be saved.

        Raises:
            NotLocked: it was neither locked nor added in this turn.
        """
        if (kind, id) not in self._locked:
            raise NotLocked(kind, id)

    async def commit(self) -> None:
        """Make the changes stand and end the turn.

        Raises:
            StorageUnavailable: a fault was ordered.
        """
        await self.tables()
        try:
            await self.store.settle()
        finally:
            self.leave()

    def leave(self) -> None:
        """End the turn; what was not committed is undone."""
        self._over = True
        self.store.keys_in_flight -= self._keys
        self._keys.clear()
        if self._holds:
            self._holds = False
            self.store.journal.undo()
            self.store.held_by = None
            self.store.turns.release()


def _current_task() -> asyncio.Task[object] | None:
    """Return the task that asks, or None where no event loop runs: a simulator has its own."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
