"""A signer whose key is in this process, read from a file that nobody else may read."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, Self

from coincurve import PrivateKey
from eth_hash.auto import keccak

from adapters.evm.curve import address_of_point
from adapters.evm.transactions import UnsignedTransaction
from adapters.system.secret_files import KEY_BYTES, KeyFileRefused, read_key, write_key
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from pathlib import Path

    from coincurve import PublicKey

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""The order of secp256k1 (SEC 2, 2.4.1); private keys are below it."""


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
        if not is_key(key):
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
        check_transaction(transaction, chain_id=self._chain_id, max_fee_wei=self._max_fee_wei)
        signature = self._key.sign_recoverable(keccak(unsigned), hasher=None)
        return transaction.sealed(
            r=int.from_bytes(signature[:32], "big"),
            s=int.from_bytes(signature[32:64], "big"),
            parity=signature[64],
        )


def check_transaction(
    transaction: UnsignedTransaction, *, chain_id: int, max_fee_wei: int | None
) -> None:
    """Let a transaction through that is for one chain and costs no more than a limit.

    Raises:
        SigningRefused: it is for another chain, or may cost too much.
    """
    if transaction.chain_id != chain_id:
        raise SigningRefused(f"for chain {transaction.chain_id}, not {chain_id}")
    if max_fee_wei is not None and transaction.fee_limit > max_fee_wei:
        raise SigningRefused(
            f"may cost {transaction.fee_limit} wei, over the limit of {max_fee_wei}"
        )
    tip = transaction.tip_per_gas
    if tip is not None and tip > transaction.max_fee_per_gas:
        raise SigningRefused("its tip is higher than its whole fee")


def create_key_file(path: Path) -> str:
    """Make a new key in a new file of mode 0600 and return its address.

    Raises:
        FileExistsError: there is a file; a key is never overwritten.
    """
    key = new_key()
    write_key(path, key)
    return address_of_point(PrivateKey(key).public_key)


def new_key() -> bytes:
    """Return a new random private key, 32 bytes."""
    while not is_key(key := secrets.token_bytes(KEY_BYTES)):
        pass
    return key


def is_key(key: bytes) -> bool:
    """Tell whether bytes are a private key of secp256k1."""
    return len(key) == KEY_BYTES and 0 < int.from_bytes(key, "big") < ORDER


def read_key_file(path: Path) -> bytes:
    """Return the 32 bytes in a key file.

    Raises:
        KeyFileRefused: it is missing, a link, open to others, or holds something else.
    """
    key = read_key(path)
    if not is_key(key):
        raise KeyFileRefused(path, "does not hold a private key of secp256k1")
    return key
