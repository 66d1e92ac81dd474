"""A key in a file that nobody else may read: 64 hexadecimal digits, the seed of an Ed25519 key."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from pytoniq_core.crypto.keys import crypto_sign_seed_keypair

from adapters.system.secret_files import KEY_BYTES, read_key, write_key

if TYPE_CHECKING:
    from pathlib import Path

SEED_BYTES: Final = KEY_BYTES


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
    write_key(path, seed)
    return public_key(seed)


def read_key_file(path: Path) -> bytes:
    """Return the seed in a key file.

    Raises:
        KeyFileRefused: it is missing, a link, open to others, or holds something else.
    """
    return read_key(path)
