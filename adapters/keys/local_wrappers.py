"""Keys that wrap, on this machine: from a file, or stretched from a passphrase in one."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final, Self

from adapters.keys.sealing import (
    KEY_BYTES,
    NotAuthentic,
    Sealed,
    context_bytes,
    open_sealed,
    seal,
)
from adapters.system.secret_files import KeyFileRefused, read_key, read_secret, write_key
from ports.key_wrapper import WrappedKeyRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SALT_BYTES: Final = 16
COST_LOG2: Final = 17
"""Of scrypt (RFC 7914), with blocks of 8: 128 MiB and some 0.4 s a guess, as OWASP asks for."""
COST_LOG2_MIN, COST_LOG2_MAX = 15, 20
"""What is opened: less would be a way down to a cheap guess, more a way to fill the memory."""
PASSPHRASE_BYTES_MIN, PASSPHRASE_BYTES_MAX = 16, 1_000

_BLOCKS = 8
_MEMORY_BYTES_MAX: Final = 2**31


class FileKeyWrapper:
    """Wraps with a key of 32 bytes out of a file; implements `ports.key_wrapper.KeyWrapper`."""

    def __init__(self, name: str, key: bytes) -> None:
        """Take a key.

        Raises:
            ValueError: it has another length than 32 bytes.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key that wraps has {KEY_BYTES} bytes")
        self.name = name
        self._key: Final = key

    @classmethod
    def from_file(cls, name: str, path: Path) -> Self:
        """Read the key from a file of mode 0600 that holds 64 hexadecimal digits.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds something else.
        """
        return cls(name, read_key(path))

    def __repr__(self) -> str:
        return f"FileKeyWrapper({self.name!r})"

    def __reduce__(self) -> str:
        raise TypeError("a key that wraps stays in its process")

    def wrap(self, data_key: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return a data key, encrypted and bound to a context."""
        return seal(self._key, data_key, bound_to=context_bytes(context)).packed

    def unwrap(self, wrapped: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return the data key.

        Raises:
            WrappedKeyRefused: it was not wrapped here, or not under this context.
        """
        try:
            sealed = Sealed.unpack(wrapped)
            return open_sealed(self._key, sealed, bound_to=context_bytes(context))
        except NotAuthentic:
            raise WrappedKeyRefused(self.name) from None


class PassphraseKeyWrapper:
    """Wraps with a key that scrypt makes of a passphrase, and of a new salt each time.

    A wrapped key begins with the logarithm of scrypt's cost, one byte, and the salt.
    """

    def __init__(self, name: str, passphrase: bytes, *, cost_log2: int = COST_LOG2) -> None:
        """Take a passphrase.

        Raises:
            ValueError: it has fewer than 16 bytes, or the cost is none that would be opened.
        """
        if not PASSPHRASE_BYTES_MIN <= len(passphrase) <= PASSPHRASE_BYTES_MAX:
            raise ValueError(f"a passphrase has at least {PASSPHRASE_BYTES_MIN} characters")
        if not COST_LOG2_MIN <= cost_log2 <= COST_LOG2_MAX:
            raise ValueError(f"a cost is 2**{COST_LOG2_MIN} to 2**{COST_LOG2_MAX}")
        self.name = name
        self._passphrase: Final = passphrase
        self._cost_log2: Final = cost_log2

    @classmethod
    def from_file(cls, name: str, path: Path) -> Self:
        """Read the passphrase from a file of mode 0600; white space around it is none of it.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds too short a one.
        """
        passphrase = read_secret(path, bytes_max=PASSPHRASE_BYTES_MAX).strip()
        try:
            return cls(name, passphrase)
        except ValueError as error:
            raise KeyFileRefused(path, str(error)) from None

    def __repr__(self) -> str:
        return f"PassphraseKeyWrapper({self.name!r})"

    def __reduce__(self) -> str:
        raise TypeError("a passphrase stays in its process")

    def wrap(self, data_key: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return a data key, encrypted and bound to a context."""
        head = bytes([self._cost_log2]) + secrets.token_bytes(SALT_BYTES)
        return head + seal(self._stretched(head), data_key, bound_to=_with(head, context)).packed

    def unwrap(self, wrapped: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return the data key.

        Raises:
            WrappedKeyRefused: it was not wrapped here, or not under this context, or so that it
                would be cheap to guess.
        """
        head, packed = wrapped[: 1 + SALT_BYTES], wrapped[1 + SALT_BYTES :]
        if len(head) <= SALT_BYTES or not COST_LOG2_MIN <= head[0] <= COST_LOG2_MAX:
            raise WrappedKeyRefused(self.name)
        try:
            sealed = Sealed.unpack(packed)
            return open_sealed(self._stretched(head), sealed, bound_to=_with(head, context))
        except NotAuthentic:
            raise WrappedKeyRefused(self.name) from None

    def _stretched(self, head: bytes) -> bytes:
        return hashlib.scrypt(
            self._passphrase,
            salt=head[1:],
            n=1 << head[0],
            r=_BLOCKS,
            p=1,
            maxmem=_MEMORY_BYTES_MAX - 1,
            dklen=KEY_BYTES,
        )


def create_wrapping_key(path: Path) -> None:
    """Make a new key that wraps, in a new file of mode 0600.

    Raises:
        FileExistsError: there is a file; a key is never overwritten.
    """
    write_key(path, secrets.token_bytes(KEY_BYTES))


def _with(head: bytes, context: Mapping[str, str]) -> bytes:
    return head + context_bytes(context)
