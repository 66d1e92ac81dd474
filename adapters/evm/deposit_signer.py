"""A signer for deposit addresses: it signs their way to the hot wallet, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from coincurve import PrivateKey
from eth_hash.auto import keccak

from adapters.evm.abi import WORD, address_word, selector
from adapters.evm.authorizations import Delegation, is_delegation
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
    wallet, and burn the coin that an address holds for its fee. Where there is a collector, a
    sweep is also an address's word to delegate to it: its code moves tokens to the hot wallet,
    and does nothing else.
    """

    def __init__(
        self,
        account: ExtendedPrivateKey,
        *,
        chain_id: int,
        hot_wallet: str,
        tokens: Collection[str],
        collector: str | None = None,
    ) -> None:
        """Take an account's extended private key.

        Args:
            account: The key of the account whose external chain holds the deposit addresses.
            chain_id: The only chain whose transactions are signed.
            hot_wallet: The only address that tokens are sent to, lower case.
            tokens: The contracts of the tokens that are moved, lower case.
            collector: The only contract that is delegated to, lower case; None where none is.
        """
        self.account: Final = account.neutered()
        """Its public side, by which it is told whose addresses these are."""
        self._account: Final = account
        self._chain_id: Final = chain_id
        self._recipient: Final = address_word(hot_wallet)
        self._tokens: Final = frozenset(tokens)
        self._collector: Final = collector

    @classmethod
    def from_file(
        cls,
        path: Path,
        *,
        chain_id: int,
        hot_wallet: str,
        tokens: Collection[str],
        collector: str | None = None,
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
        return cls(
            account,
            chain_id=chain_id,
            hot_wallet=hot_wallet,
            tokens=tokens,
            collector=collector,
        )

    def __repr__(self) -> str:
        return "LocalDepositSigner()"

    def __reduce__(self) -> str:
        raise TypeError("a signer stays in its process")

    def sign_sweep(self, unsigned: bytes, *, source: str, index: int) -> bytes:
        """Return the signed transaction, or authorization; the same input, the same bytes.

        Raises:
            NotATransaction, NotADelegation: the bytes are neither of a known kind.
            SigningRefused: it is no transfer of tokens to the hot wallet and nothing besides, nor
                a delegation to the collector, it is for another chain, or the place's address is
                not its source.
        """
        delegation = Delegation.decode(unsigned) if is_delegation(unsigned) else None
        if delegation is None:
            self._check(UnsignedTransaction.decode(unsigned))
        else:
            self._check_delegation(delegation)
        key = self._account.deposit_key(index)
        signer = LocalSigner(key, chain_id=self._chain_id)
        if signer.address != source:
            raise SigningRefused(f"place {index} is not that of {source}")
        if delegation is None:
            return signer.sign_transaction(unsigned)
        signature = PrivateKey(key).sign_recoverable(keccak(unsigned), hasher=None)
        return delegation.sealed(
            r=int.from_bytes(signature[:32], "big"),
            s=int.from_bytes(signature[32:64], "big"),
            parity=signature[64],
        )

    def _check_delegation(self, delegation: Delegation) -> None:
        # Chain id 0 would be any chain's.
        if delegation.chain_id != self._chain_id:
            raise SigningRefused(f"for chain {delegation.chain_id}, not {self._chain_id}")
        if delegation.contract != self._collector:
            raise SigningRefused(f"delegates to {delegation.contract}, no collector of ours")

    def _check(self, transaction: UnsignedTransaction) -> None:
        if transaction.authorizations:
            raise SigningRefused("carries authorizations")
        if transaction.value:
            raise SigningRefused(f"takes {transaction.value} wei along")
        if transaction.target not in self._tokens:
            raise SigningRefused(f"calls {transaction.target}, no token of ours")
        data = transaction.data
        if not data.startswith(TRANSFER) or len(data) != len(TRANSFER) + 2 * WORD:
            raise SigningRefused("is no transfer")
        if data[len(TRANSFER) : len(TRANSFER) + WORD] != self._recipient:
            raise SigningRefused("does not go to the hot wallet")
