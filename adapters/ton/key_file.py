"""A key in a file that nobody else may read: 64 hexadecimal digits, the seed of an Ed25519 key."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

import attrs
from pytoniq_core.crypto.keys import crypto_sign_seed_keypair

SEED_BYTES: Final = 32
KEY_FILE_MODE: Final = 0o600


@attrs.frozen
class KeyFileRefused(Exception):
    """The key file cannot be trusted or read; what is in it is never part of the message."""

    path: Path
    why: str


def public_key(seed: bytes) -> bytes:
    """Return the public key of a seed, 32 bytes.

    Raises:
        ValueError: the seed has another length.
    """
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes")
    public, _ = crypto_sign_seed_keypair(seed)
    return bytes(public)


def create_key_file(path: Path) -> bytes:
    """Make a new key in a new file of mode 0600 and return its public key.

    Raises:
        FileExistsError: there is a file; a key is never overwritten.
    """
    seed = secrets.token_bytes(SEED_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), KEY_FILE_MODE)
        file.write(seed.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return public_key(seed)


def read_key_file(path: Path) -> bytes:
    """Return the seed in a key file.

    The file is judged after it was opened, so that it cannot be exchanged in between.

    Raises:
        KeyFileRefused: it is missing, a link, open to others, or holds something else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise KeyFileRefused(path, f"cannot be opened: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileRefused(path, "is not a regular file")
        mode = stat.S_IMODE(status.st_mode)
        if mode != KEY_FILE_MODE:
            raise KeyFileRefused(path, f"has mode {mode:04o} instead of {KEY_FILE_MODE:04o}")
        content = os.read(descriptor, 2 * SEED_BYTES + 2)
    finally:
        os.close(descriptor)
    try:
        seed = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        # Not chained: the message of a decoding error quotes what could not be decoded.
        seed = b""
    if len(seed) != SEED_BYTES:
        raise KeyFileRefused(path, "does not hold a key in hexadecimal digits")
    return seed
