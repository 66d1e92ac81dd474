"""A signer whose key is in this process, read from a file that nobody else may read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import attrs
from coincurve import PrivateKey
from eth_hash.auto import keccak

from adapters.evm.curve import address_of_point
from adapters.evm.transactions import UnsignedTransaction

if TYPE_CHECKING:
    from coincurve import PublicKey

KEY_BYTES: Final = 32
KEY_FILE_MODE: Final = 0o600

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""The order of secp256k1 (SEC 2, 2.4.1); private keys are below it."""


@attrs.frozen
class KeyFileRefused(Exception):
    """The key file cannot be trusted or read; what is in it is never part of the message."""

    path: Path
    why: str


@attrs.frozen
class SigningRefused(ValueError):
    """The transaction is one that this signer must not sign."""

    why: str


class LocalSigner:
    """Signs transactions of one chain with one key; implements `ports.signer.Signer`.

    It reads every transaction before it signs: only calls on its own chain, and only up to a fee.
    """

    def __init__(self, key: bytes, *, chain_id: int, max_fee_wei: int | None = None) -> None:
        """Take a key of 32 bytes.

        Args:
            key: The private key.
            chain_id: The only chain whose transactions are signed.
            max_fee_wei: The most one transaction may cost, or None for no limit.

        Raises:
            ValueError: it is no private key. The message does not show it.
        """
        if len(key) != KEY_BYTES or not 0 < int.from_bytes(key, "big") < _ORDER:
            raise ValueError("not a private key of secp256k1")
        self._key: Final = PrivateKey(key)
        self._chain_id: Final = chain_id
        self._max_fee_wei: Final = max_fee_wei
        public: PublicKey = self._key.public_key
        self.address: str = address_of_point(public)

    @classmethod
    def from_file(cls, path: Path, *, chain_id: int, max_fee_wei: int | None = None) -> Self:
        """Read the key from a file of mode 0600 that holds 64 hex digits.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds something else.
        """
        key = read_key_file(path)
        return cls(key, chain_id=chain_id, max_fee_wei=max_fee_wei)

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a signer stays in its process")

    def sign_transaction(self, unsigned: bytes) -> bytes:
        """Return the signed transaction; the nonce is RFC 6979's, so the same bytes each time.

        Raises:
            NotATransaction: the bytes are no transaction of a known kind.
            SigningRefused: it is for another chain, or may cost too much.
        """
        transaction = UnsignedTransaction.decode(unsigned)
        self._check(transaction)
        signature = self._key.sign_recoverable(keccak(unsigned), hasher=None)
        return transaction.sealed(
            r=int.from_bytes(signature[:32], "big"),
            s=int.from_bytes(signature[32:64], "big"),
            parity=signature[64],
        )

    def _check(self, transaction: UnsignedTransaction) -> None:
        if transaction.chain_id != self._chain_id:
            raise SigningRefused(f"for chain {transaction.chain_id}, not {self._chain_id}")
        if self._max_fee_wei is not None and transaction.fee_limit > self._max_fee_wei:
            raise SigningRefused(
                f"may cost {transaction.fee_limit} wei, over the limit of {self._max_fee_wei}"
            )
        tip = transaction.tip_per_gas
        if tip is not None and tip > transaction.max_fee_per_gas:
            raise SigningRefused("its tip is higher than its whole fee")


def create_key_file(path: Path) -> str:
    """Make a new key in a new file of mode 0600 and return its address.

    Raises:
        FileExistsError: there is a file; a key is never overwritten.
    """
    key = secrets.token_bytes(KEY_BYTES)
    while not 0 < int.from_bytes(key, "big") < _ORDER:
        key = secrets.token_bytes(KEY_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), KEY_FILE_MODE)
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return address_of_point(PrivateKey(key).public_key)


def read_key_file(path: Path) -> bytes:
    """Return the 32 bytes in a key file.

    Raises:
        KeyFileRefused: it is missing, a link, open to others, or holds something else.
    """
    content = read_secret(path, bytes_max=2 * KEY_BYTES + 4)
    try:
        key = bytes.fromhex(content.decode("ascii").strip().removeprefix("0x"))
    except ValueError:
        # Not chained: the message of a decoding error quotes what could not be decoded.
        key = b""
    if len(key) != KEY_BYTES or not 0 < int.from_bytes(key, "big") < _ORDER:
        raise KeyFileRefused(path, "does not hold a private key in hex")
    return key


def read_secret(path: Path, *, bytes_max: int) -> bytes:
    """Return what a file of mode 0600 holds, cut off after so many bytes.

    The file is judged after it was opened, so that it cannot be exchanged in between.

    Raises:
        KeyFileRefused: it is missing, a link, or open to others.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise KeyFileRefused(path, f"cannot be opened: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileRefused(path, "is not a regular file")
        mode = stat.S_IMODE(status.st_mode)
        if mode != KEY_FILE_MODE:
            raise KeyFileRefused(path, f"has mode {mode:04o} instead of {KEY_FILE_MODE:04o}")
        return file.read(bytes_max)
