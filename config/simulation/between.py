"""Between a process and its storage: a stop before and after each call.

The classes are made once, from the repositories' own methods, so that a call costs little.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Self

from adapters.memory.unit_of_work import InMemoryUnitOfWork

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from adapters.memory.store import Store
    from adapters.memory.turn import Turn
    from config.simulation.process import Process
    from ports.unit_of_work import Begin, UnitOfWork

_classes: dict[type, type] = {}


class Working:
    """A unit of work as one process uses it, repositories and all."""

    def __init__(self, store: Store, process: Process, opened: Opened) -> None:
        self._store = store
        self._process = process
        self._opened = opened
        self._holds = False
        self._made: AbstractAsyncContextManager[UnitOfWork] = store.begin()

    async def __aenter__(self) -> Self:
        self._process.step()
        self._inner: Any = await self._made.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._made.__aexit__(kind, error, trace)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whichever repository it is)
        repository = getattr(self._inner, name)
        wrapped = _class_of(type(repository))(repository, self)
        setattr(self, name, wrapped)
        return wrapped

    async def before(self) -> None:
        """Stop before a call; the first one waits for the store, and takes it."""
        if self._holds:
            await self._process.stop_inside()
            return
        await self._process.want_store()
        # At once: not every call takes it, and nobody can wait for it in the middle of another.
        await self._inner._turn.tables()
        self._holds = True

    async def claim_key(self, turn: Turn, owner: Any, key: str) -> None:  # noqa: ANN401 (as the port has it)
        """Take an idempotency key, which waits for nobody.

        Raises:
            KeyInFlight: another unit of work has it.
        """
        await self._process.stop()
        turn.take_key(owner, key)

    async def commit(self) -> None:
        """Commit, if the process and the storage live so long."""
        await self.before()
        self._opened.before_commit()
        try:
            await self._inner.commit()
        finally:
            self._holds = False
        await self._process.stop()


class Opened:
    """The storage of one process; ``begin`` is its ``Begin`` port."""

    def __init__(
        self, store: Store, process: Process, *, before_commit: Callable[[], None]
    ) -> None:
        self._store = store
        self._process = process
        self.before_commit = before_commit

    @property
    def begin(self) -> Begin:
        """Return what opens a unit of work."""
        return self._begin

    def _begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        working: Any = Working(self._store, self._process, self)
        return working  # type: ignore[no-any-return]  # Made of the repositories themselves.


class _Passing:
    """Passes calls on to a repository."""

    __slots__ = ("_inner", "_working")

    def __init__(self, inner: Any, working: Working) -> None:  # noqa: ANN401 (any repository)
        self._inner = inner
        self._working = working


def _class_of(repository: type) -> type:
    made = _classes.get(repository)
    if made is None:
        methods: dict[str, Any] = {"__slots__": ()}
        for name, method in inspect.getmembers(repository, inspect.isfunction):
            if name.startswith("_"):
                continue
            if not inspect.iscoroutinefunction(method):
                methods[name] = _at_once(method)
            elif name == "claim" and "key" in _names(method):
                methods[name] = _claiming(method)
            else:
                methods[name] = _passing(method)
        made = _classes[repository] = type(f"Passing{repository.__name__}", (_Passing,), methods)
    return made


def _names(method: Callable[..., object]) -> set[str]:
    return set(inspect.signature(method).parameters)


def _at_once(method: Callable[..., object]) -> object:
    """Pass on what asks the store for nothing, and so waits for nobody."""

    def call(self: _Passing, *args: object, **named: object) -> object:
        return method(self._inner, *args, **named)

    return call


def _passing(method: Callable[..., Coroutine[Any, Any, Any]]) -> object:
    async def call(self: _Passing, *args: object, **named: object) -> object:
        await self._working.before()
        answer = await method(self._inner, *args, **named)
        self._working._process.step()
        return answer

    return call


def _claiming(method: Callable[..., Coroutine[Any, Any, Any]]) -> object:
    """Claim an idempotency key: found to be in flight before the store is waited for."""

    async def call(self: _Passing, *, owner: Any, key: str, **named: object) -> object:  # noqa: ANN401 (as the port has it)
        await self._working.claim_key(self._inner._turn, owner, key)
        await self._working.before()
        answer = await method(self._inner, owner=owner, key=key, **named)
        self._working._process.step()
        return answer

    return call


UNIT_OF_WORK = InMemoryUnitOfWork
"""What is wrapped here."""
