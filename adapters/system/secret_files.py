"""Files with secrets: nobody but their owner may read them, and no message shows what is in them.

The only module of an adapter that other adapters import (`pyproject.toml`, "technologies"): a
second reader would be a second chance to forget a check.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

import attrs

FILE_MODE: Final = 0o600
KEY_BYTES: Final = 32
DRAFT: Final = ".draft-"
"""How the names of files begin that are not finished. A killed process leaves one behind."""

_NOT_FOLLOWED: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A link is refused; a pipe is refused as well, before it would wait for a writer."""


@attrs.frozen
class KeyFileRefused(Exception):
    """The file of a secret cannot be trusted or read; what is in it is never told."""

    path: Path
    why: str


def read_secret(path: Path, *, bytes_max: int) -> bytes:
    """Return what a file of mode 0600 holds, cut off after so many bytes.

    The file is judged after it was opened, so that it cannot be exchanged in between.

    Raises:
        KeyFileRefused: it is missing, a link, a folder, or open to others.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NOT_FOLLOWED)
    except OSError as error:
        raise KeyFileRefused(path, f"cannot be opened: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileRefused(path, "is not a regular file")
        mode = stat.S_IMODE(status.st_mode)
        if mode != FILE_MODE:
            raise KeyFileRefused(path, f"has mode {mode:04o} instead of {FILE_MODE:04o}")
        return _read(descriptor, bytes_max)
    except OSError as error:
        raise KeyFileRefused(path, f"cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def read_key(path: Path) -> bytes:
    """Return the 32 bytes that a file holds as 64 hexadecimal digits, ``0x`` before them or not.

    Raises:
        KeyFileRefused: it cannot be read, as above, or holds something else.
    """
    content = read_secret(path, bytes_max=2 * KEY_BYTES + 4)
    try:
        key = bytes.fromhex(content.decode("ascii").strip().removeprefix("0x"))
    except ValueError:
        # Not chained: the message of a decoding error quotes what could not be decoded.
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileRefused(path, "does not hold a key in hexadecimal digits")
    return key


def write_key(path: Path, key: bytes) -> None:
    """Write a key into a new file, as `read_key` reads it.

    Raises:
        FileExistsError: there is a file; a key is never overwritten.
    """
    create_secret(path, key.hex().encode("ascii") + b"\n")


def create_secret(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600, whole or not at all.

    Raises:
        FileExistsError: there is a file; it stays as it was.
    """
    draft = _draft(path, content)
    try:
        # A link, and no renaming: that would take the place of a file that is there.
        os.link(draft, path)
    finally:
        draft.unlink()
    _remember(path.parent)


def replace_secret(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 in place of another, whole or not at all.

    Whoever reads meanwhile, and whoever reads after a crash, finds the old one or the new one.
    """
    draft = _draft(path, content)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    _remember(path.parent)


def _draft(path: Path, content: bytes) -> Path:
    """Write content that is on the disk before anything leads to it."""
    draft = path.with_name(f"{DRAFT}{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), FILE_MODE)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _read(descriptor: int, bytes_max: int) -> bytes:
    """Read until the end or the limit: one call may return less than there is."""
    parts = b""
    while len(parts) < bytes_max:
        part = os.read(descriptor, bytes_max - len(parts))
        if not part:
            break
        parts += part
    return parts


def _remember(folder: Path) -> None:
    """Have a folder's entries on the disk. Windows has no such call, and needs none."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
