"""Delegations of accounts to a contract's code (EIP-7702): what is signed, and what comes of it.

A delegation names a chain, a contract and the account's own nonce. What is signed is ``0x05`` and
the RLP of these three; with the signature it is an authorization, which a transaction carries.
"""

from __future__ import annotations

from typing import Final

import attrs
import rlp  # type: ignore[import-untyped]  # It ships no types.
from rlp.sedes import Binary, List, big_endian_int  # type: ignore[import-untyped]  # As above.

MAGIC: Final = 5
"""The first byte of what is signed; no transaction begins with it."""

CODE_PREFIX: Final = bytes.fromhex("ef0100")
"""What an account's code begins with when it delegates; the contract's address follows."""

_CONTRACT = Binary.fixed_length(20)
_NUMBER = big_endian_int
_UNSIGNED = List([_NUMBER, _CONTRACT, _NUMBER])
AUTHORIZATION: Final = List([_NUMBER, _CONTRACT, _NUMBER, _NUMBER, _NUMBER, _NUMBER])
"""Chain id, contract, nonce, y parity, r and s."""


class NotADelegation(ValueError):
    """The bytes are no delegation that could be signed, or none that was."""


@attrs.frozen(kw_only=True)
class Delegation:
    """An account's word that a contract's code is its own, on one chain."""

    chain_id: int
    contract: str
    """``0x`` and 40 hex digits, lower case."""
    nonce: int
    """The account's; it counts up when the delegation takes effect, and no other has an effect."""

    def encode(self) -> bytes:
        """Return the bytes whose hash is signed."""
        return bytes([MAGIC]) + bytes(rlp.encode(self.fields()))

    def sealed(self, *, parity: int, r: int, s: int) -> bytes:
        """Return the authorization, as a signer hands it out."""
        return bytes(rlp.encode([*self.fields(), parity, r, s]))

    def fields(self) -> list[object]:
        """Return its three members as RLP takes them."""
        return [self.chain_id, bytes.fromhex(self.contract[2:]), self.nonce]

    @classmethod
    def decode(cls, unsigned: bytes) -> Delegation:
        """Read what `encode` has written, and nothing else.

        Raises:
            NotADelegation: the bytes are of another form.
        """
        try:
            chain_id, contract, nonce = rlp.decode(unsigned[1:], _UNSIGNED)
        except (rlp.RLPException, ValueError, TypeError) as error:
            raise NotADelegation("these bytes are no delegation") from error
        read = cls(chain_id=chain_id, contract="0x" + contract.hex(), nonce=nonce)
        if read.encode() != unsigned:
            raise NotADelegation("these bytes are no delegation")
        return read


@attrs.frozen(kw_only=True)
class Authorization:
    """A delegation and its account's signature."""

    delegation: Delegation
    parity: int
    r: int
    s: int

    def fields(self) -> list[object]:
        """Return its six members as RLP takes them."""
        return [*self.delegation.fields(), self.parity, self.r, self.s]

    @classmethod
    def of_fields(cls, fields: tuple[int, bytes, int, int, int, int]) -> Authorization:
        """Read the six members."""
        chain_id, contract, nonce, parity, r, s = fields
        delegation = Delegation(chain_id=chain_id, contract="0x" + contract.hex(), nonce=nonce)
        return cls(delegation=delegation, parity=parity, r=r, s=s)

    @classmethod
    def decode(cls, sealed: bytes) -> Authorization:
        """Read what `Delegation.sealed` has written.

        Raises:
            NotADelegation: the bytes are of another form.
        """
        try:
            return cls.of_fields(rlp.decode(sealed, AUTHORIZATION))
        except (rlp.RLPException, ValueError, TypeError) as error:
            raise NotADelegation("these bytes are no authorization") from error


def is_delegation(unsigned: bytes) -> bool:
    """Tell whether bytes that are to be signed are a delegation, and no transaction."""
    return unsigned[:1] == bytes([MAGIC])


def delegates_to(code: bytes, contract: str) -> bool:
    """Tell whether an account with this code delegates to a contract."""
    return code == CODE_PREFIX + bytes.fromhex(contract[2:])
