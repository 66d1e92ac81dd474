"""A signer whose key is in a device: what it signs becomes a signature that Ethereum takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from coincurve import PublicKey
from eth_hash.auto import keccak

from adapters.evm.curve import address_of_point
from adapters.evm.signer import ORDER, check_transaction
from adapters.evm.transactions import UnsignedTransaction
from ports.signer import SignerUnavailable

if TYPE_CHECKING:
    from ports.signer import DigestSigner

_HALF: Final = ORDER // 2


class OutsideSigner:
    """Signs transactions of one chain by a device's key; implements `ports.signer.Signer`.

    It reads every transaction as `LocalSigner` does. A device draws a random number for each
    signature, so the same bytes are signed in another way each time: only the signer's process,
    which remembers what it has signed, gives the same answer twice.
    """

    def __init__(
        self, device: DigestSigner, *, chain_id: int, max_fee_wei: int | None = None
    ) -> None:
        """Take what signs digests, the only chain, and the most that a transaction may cost.

        Raises:
            ValueError: its public key is no point of secp256k1.
        """
        self._device: Final = device
        self._public: Final = PublicKey(device.public_key)
        self._chain_id: Final = chain_id
        self._max_fee_wei: Final = max_fee_wei
        self.address: str = address_of_point(self._public)

    def __repr__(self) -> str:
        return f"OutsideSigner({self.address})"

    def sign_transaction(self, unsigned: bytes) -> bytes:
        """Return the signed transaction.

        Raises:
            NotATransaction: the bytes are no transaction of a known kind.
            SigningRefused: it is for another chain, or may cost too much.
            SignerUnavailable: the device does not sign, or not with this key.
        """
        transaction = UnsignedTransaction.decode(unsigned)
        check_transaction(transaction, chain_id=self._chain_id, max_fee_wei=self._max_fee_wei)
        digest = keccak(unsigned)
        signature = self._device.sign_digest(digest)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        # Of the two signatures that are valid, chains take the one with the lower s (EIP-2).
        s = min(s, ORDER - s)
        return transaction.sealed(r=r, s=s, parity=self._parity(digest, r, s))

    def _parity(self, digest: bytes, r: int, s: int) -> int:
        """Find by trying which of the two points is meant, and so that it is our key's."""
        if not (0 < r < ORDER and 0 < s <= _HALF):
            raise SignerUnavailable("the device has signed with what is no signature")
        octets = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        for parity in (0, 1):
            try:
                found = PublicKey.from_signature_and_message(
                    octets + bytes([parity]), digest, hasher=None
                )
            except ValueError:
                # No point has such an r.
                continue
            if found.format() == self._public.format():
                return parity
        raise SignerUnavailable("the device has not signed with its key")
