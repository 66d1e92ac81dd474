"""Keys that encrypt other keys: each lies somewhere else than what it encrypts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class WrappedKeyRefused(Exception):
    """A wrapped key does not open: it or its context was changed, or another key wrapped it."""

    def __init__(self, wrapper: str) -> None:
        super().__init__(wrapper)
        self.wrapper = wrapper


class KeyWrapperUnavailable(Exception):
    """What holds the key that wraps gave no usable answer. Nothing is known; try again."""

    def __init__(self, wrapper: str, why: str) -> None:
        super().__init__(wrapper, why)
        self.wrapper = wrapper
        self.why = why


class KeyWrapper(Protocol):
    """Wraps data keys of 32 bytes with a key of its own, which it never gives away."""

    name: str
    """Under which an operator knows it. What it has wrapped is kept beside this name."""

    def wrap(self, data_key: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return a data key, encrypted and bound to a context; each time other bytes.

        Raises:
            KeyWrapperUnavailable: it did not answer.
        """
        ...

    def unwrap(self, wrapped: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return the data key that was wrapped under the same context.

        Raises:
            WrappedKeyRefused: these bytes were not wrapped here, or not under this context.
            KeyWrapperUnavailable: it did not answer.
        """
        ...
