"""Ed25519 (RFC 8032): a key in a file that nobody else may read, and verification without one."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final, Self

import attrs
from Crypto.Signature import eddsa

SEED_BYTES: Final = 32
KEY_FILE_MODE: Final = 0o600


@attrs.frozen
class SigningKeyRefused(Exception):
    """The file of the statement key cannot be trusted or read; what is in it is never told."""

    path: Path
    why: str


class Ed25519Signer:
    """Signs documents with one key; implements `ports.signatures.DocumentSigner`."""

    def __init__(self, seed: bytes) -> None:
        """Take a private key of 32 bytes.

        Raises:
            ValueError: it has another length.
        """
        self._key: Final = eddsa.import_private_key(seed)
        self.public_key: str = self._key.public_key().export_key(format="raw").hex()

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the key from a file of mode 0600 that holds 64 hex digits.

        The file is judged after it was opened, so that it cannot be exchanged in between.

        Raises:
            SigningKeyRefused: it is missing, a link, open to others, or holds something else.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise SigningKeyRefused(path, f"cannot be opened: {error.strerror}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise SigningKeyRefused(path, "is not a regular file")
            mode = stat.S_IMODE(status.st_mode)
            if mode != KEY_FILE_MODE:
                raise SigningKeyRefused(path, f"has mode {mode:04o} instead of 0600")
            digits = os.read(descriptor, 2 * SEED_BYTES + 2)
        finally:
            os.close(descriptor)
        try:
            return cls(bytes.fromhex(digits.decode("ascii")))
        except ValueError:
            raise SigningKeyRefused(path, "does not hold 64 hex digits") from None

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.public_key})"

    def __reduce__(self) -> str:
        raise TypeError("a signer stays in its process")

    def sign(self, document: bytes) -> str:
        """Return the signature of a document: 128 hex digits; the same bytes, the same one."""
        return eddsa.new(self._key, "rfc8032").sign(document).hex()


class Ed25519Check:
    """Verifies signatures; implements `ports.signatures.SignatureCheck`."""

    def verifies(self, document: bytes, *, signature: str, public_key: str) -> bool:
        """Tell whether a signature is that key's, of these bytes; what is no key verifies none."""
        try:
            key = eddsa.import_public_key(bytes.fromhex(public_key))
            eddsa.new(key, "rfc8032").verify(document, bytes.fromhex(signature))
        except ValueError:
            return False
        return True


def create_signing_key(path: Path) -> str:
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
    return Ed25519Signer(seed).public_key
