"""A signer for deposit addresses: it signs their way to the hot wallet, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from adapters.evm.abi import WORD, address_word, selector
from adapters.evm.private_keys import ExtendedPrivateKey, NotAnExtendedPrivateKey
from adapters.evm.signer import LocalSigner
from adapters.evm.transactions import UnsignedTransaction
from adapters.system.secret_files import KeyFileRefused, read_secret
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

TRANSFER: Final = selector("transfer(address,uint256)")
_TEXT_MAX: Final = 200
"""More characters than an extended key has (111)."""


class LocalDepositSigner:
    """Derives the key of a deposit address and signs its sweep; see `ports.signer.DepositSigner`.

    Whoever can make it sign anything can still only move tokens of the allow-list to the hot
    wallet, and burn the coin that an address holds for its fee.
    """

    def __init__(
        self,
        account: ExtendedPrivateKey,
        *,
        chain_id: int,
        hot_wallet: str,
        tokens: Collection[str],
    ) -> None:
        """Take an account's extended private key.

        Args:
            account: The key of the account whose external chain holds the deposit addresses.
            chain_id: The only chain whose transactions are signed.
            hot_wallet: The only address that tokens are sent to, lower case.
            tokens: The contracts of the tokens that are moved, lower case.
        """
        self.account: Final = account.neutered()
        """Its public side, by which it is told whose addresses these are."""
        self._account: Final = account
        self._chain_id: Final = chain_id
        self._recipient: Final = address_word(hot_wallet)
        self._tokens: Final = frozenset(tokens)

    @classmethod
    def from_file(
        cls, path: Path, *, chain_id: int, hot_wallet: str, tokens: Collection[str]
    ) -> Self:
        """Read the key from a file of mode 0600 that holds an ``xprv``.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds something else.
        """
        content = read_secret(path, bytes_max=_TEXT_MAX)
        try:
            account = ExtendedPrivateKey.parse(content.decode("ascii", "replace").strip())
        except NotAnExtendedPrivateKey:
            # Not chained: what the file holds may be a secret of another kind.
            raise KeyFileRefused(path, "does not hold an extended private key") from None
        return cls(account, chain_id=chain_id, hot_wallet=hot_wallet, tokens=tokens)

    def __repr__(self) -> str:
        return "LocalDepositSigner()"

    def __reduce__(self) -> str:
        raise TypeError("a signer stays in its process")

    def sign_sweep(self, unsigned: bytes, *, source: str, index: int) -> bytes:
        """Return the signed transaction; the same input, the same bytes.

        Raises:
            NotATransaction: the bytes are no transaction of a known kind.
            SigningRefused: it is no transfer of tokens to the hot wallet and nothing besides, it
                is for another chain, or the place's address is not its source.
        """
        self._check(UnsignedTransaction.decode(unsigned))
        signer = LocalSigner(self._account.deposit_key(index), chain_id=self._chain_id)
        if signer.address != source:
            raise SigningRefused(f"place {index} is not that of {source}")
        return signer.sign_transaction(unsigned)

    def _check(self, transaction: UnsignedTransaction) -> None:
        if transaction.value:
            raise SigningRefused(f"takes {transaction.value} wei along")
        if transaction.target not in self._tokens:
            raise SigningRefused(f"calls {transaction.target}, no token of ours")
        data = transaction.data
        if not data.startswith(TRANSFER) or len(data) != len(TRANSFER) + 2 * WORD:
            raise SigningRefused("is no transfer")
        if data[len(TRANSFER) : len(TRANSFER) + WORD] != self._recipient:
            raise SigningRefused("does not go to the hot wallet")
