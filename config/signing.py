"""The key that signs statements, and verification, which needs no key and no other settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.keys.ed25519 import Ed25519Check, Ed25519Signer, create_signing_key
from config.settings import WrongSettings

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings
    from ports.signatures import DocumentSigner, SignatureCheck


def statement_signer(settings: Settings) -> DocumentSigner:
    """Return what signs statements.

    Raises:
        WrongSettings: no key is named.
        KeyFileRefused: the key file is missing, or others may read it.
    """
    file = settings.books.statement_key_file
    if file is None:
        raise WrongSettings(("settings.books.statement_key_file is needed to sign statements",))
    return Ed25519Signer.from_file(file)


def create_statement_key(file: Path) -> str:
    """Make the key that signs statements, in a new file; return its public key.

    Raises:
        FileExistsError: there is a file; a key is never overwritten.
    """
    return create_signing_key(file)


def signature_check() -> SignatureCheck:
    """Return what verifies statements."""
    return Ed25519Check()
