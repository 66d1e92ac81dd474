"""Signatures under documents, by which anybody can tell later that they are ours and whole."""

from __future__ import annotations

from typing import Protocol


class DocumentSigner(Protocol):
    """Holds one key and signs documents with it: not the key of a wallet."""

    public_key: str
    """By which signatures are verified: 64 hex digits (Ed25519, RFC 8032)."""

    def sign(self, document: bytes) -> str:
        """Return the signature of a document: 128 hex digits; the same bytes, the same one."""
        ...


class SignatureCheck(Protocol):
    """Verifies signatures. It needs neither a key of ours nor anything that is stored."""

    def verifies(self, document: bytes, *, signature: str, public_key: str) -> bool:
        """Tell whether a signature is that key's, of these bytes."""
        ...
