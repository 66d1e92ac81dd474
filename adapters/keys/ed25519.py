"""Ed25519 (RFC 8032): a key in a file that nobody else may read, and verification without one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, Self

from Crypto.Signature import eddsa

from adapters.system.secret_files import KEY_BYTES, read_key, write_key

if TYPE_CHECKING:
    from pathlib import Path


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

        Raises:
            KeyFileRefused: it is missing, a link, open to others, or holds something else.
        """
        return cls(read_key(path))

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
    seed = secrets.token_bytes(KEY_BYTES)
    write_key(path, seed)
    return Ed25519Signer(seed).public_key
