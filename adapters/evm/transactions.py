"""Transactions as bytes: EIP-1559 ones, legacy EIP-155 ones, and ones with authorizations.

Legacy ones are for chains without a base fee; authorizations are EIP-7702's.
"""

from __future__ import annotations

from typing import Final

import attrs
import rlp  # type: ignore[import-untyped]  # It ships no types.
from eth_hash.auto import keccak
from rlp.sedes import (  # type: ignore[import-untyped]  # As above.
    Binary,
    CountableList,
    List,
    big_endian_int,
    binary,
)

from adapters.evm.authorizations import AUTHORIZATION, Authorization

DYNAMIC_FEE: Final = 2
"""The envelope's first byte (EIP-2718, EIP-1559)."""

SET_CODE: Final = 4
"""The same of one with authorizations (EIP-7702)."""

_TYPED = (bytes([DYNAMIC_FEE]), bytes([SET_CODE]))
_EIP155_V = 35
_ADDRESS = Binary.fixed_length(20)
_NUMBER = big_endian_int
_DYNAMIC = List(
    [_NUMBER, _NUMBER, _NUMBER, _NUMBER, _NUMBER, _ADDRESS, _NUMBER, binary, CountableList(binary)]
)
_SET_CODE = List(
    [
        *[_NUMBER, _NUMBER, _NUMBER, _NUMBER, _NUMBER, _ADDRESS, _NUMBER, binary],
        CountableList(binary),
        CountableList(AUTHORIZATION),
    ]
)
_LEGACY = List([_NUMBER, _NUMBER, _NUMBER, _ADDRESS, _NUMBER, binary, _NUMBER, _NUMBER, _NUMBER])


class NotATransaction(ValueError):
    """The bytes are no unsigned transaction of a kind that the gateway makes."""


@attrs.frozen(kw_only=True)
class UnsignedTransaction:
    """A call with value, its fees, and its place in the sender's sequence; amounts in wei."""

    chain_id: int
    nonce: int
    target: str
    """The account called, ``0x`` and 40 hex digits. Contracts are not created this way."""
    value: int
    data: bytes = attrs.field(repr=False)
    gas_limit: int
    max_fee_per_gas: int
    tip_per_gas: int | None
    """None makes it a legacy transaction with `max_fee_per_gas` as its gas price."""
    authorizations: tuple[Authorization, ...] = attrs.field(default=(), repr=False)
    """All of them delegate to the very contract that is called, on this chain."""

    def __attrs_post_init__(self) -> None:
        meant = (self.chain_id, self.target.lower())
        for it in self.authorizations:
            if (it.delegation.chain_id, it.delegation.contract) != meant:
                raise NotATransaction("it delegates to another contract than it calls")
        if self.authorizations and self.tip_per_gas is None:
            raise NotATransaction("a legacy transaction carries no authorization")

    @property
    def fee_limit(self) -> int:
        """The most the network can take for it, in wei."""
        return self.gas_limit * self.max_fee_per_gas

    def encode(self) -> bytes:
        """Return the bytes whose hash is signed."""
        if self.tip_per_gas is None:
            fields = [*self._legacy(), self.chain_id, 0, 0]
            return bytes(rlp.encode(fields))
        return self._typed(self.tip_per_gas, [])

    def sealed(self, *, parity: int, r: int, s: int) -> bytes:
        """Return the transaction with its signature, as nodes take it.

        Args:
            parity: 0 or 1, of the y coordinate of the signature's point.
            r: The signature's first number.
            s: Its second number, in the lower half (EIP-2).
        """
        if self.tip_per_gas is None:
            v = _EIP155_V + 2 * self.chain_id + parity
            return bytes(rlp.encode([*self._legacy(), v, r, s]))
        return self._typed(self.tip_per_gas, [parity, r, s])

    @classmethod
    def decode(cls, unsigned: bytes) -> UnsignedTransaction:
        """Read what `encode` has written, and nothing else.

        Raises:
            NotATransaction: the bytes are of another form, hold an access list, create a
                contract, or delegate to another one than they call.
        """
        try:
            if unsigned[:1] in _TYPED:
                transaction = cls._of_typed(unsigned)
            else:
                transaction = cls._of_legacy(unsigned)
        except (rlp.RLPException, ValueError, IndexError, TypeError) as error:
            raise NotATransaction("these bytes are no unsigned transaction") from error
        if transaction.encode() != unsigned:
            raise NotATransaction("this transaction could be written in another way")
        return transaction

    @classmethod
    def of_signed(cls, raw: bytes) -> UnsignedTransaction:
        """Read what `sealed` has written, its signature apart.

        Raises:
            NotATransaction: the bytes are of another form.
        """
        typed = raw[:1] in _TYPED
        try:
            fields = rlp.decode(raw[1:] if typed else raw)
            # The y parity, r and s come last; in a legacy transaction v stands for the chain id.
            *body, v, _, _ = fields
            if typed:
                return cls.decode(raw[:1] + bytes(rlp.encode(body)))
            chain_id = (int.from_bytes(v, "big") - _EIP155_V) // 2
            return cls.decode(bytes(rlp.encode([*body, _NUMBER.serialize(chain_id), b"", b""])))
        except (rlp.RLPException, ValueError, TypeError) as error:
            raise NotATransaction("these bytes are no signed transaction") from error

    @classmethod
    def _of_typed(cls, unsigned: bytes) -> UnsignedTransaction:
        kind = _SET_CODE if unsigned[0] == SET_CODE else _DYNAMIC
        fields = rlp.decode(unsigned[1:], kind)
        chain_id, nonce, tip, fee, gas, target, value, data, _, *carried = fields
        return cls(
            chain_id=chain_id,
            nonce=nonce,
            target="0x" + target.hex(),
            value=value,
            data=data,
            gas_limit=gas,
            max_fee_per_gas=fee,
            tip_per_gas=tip,
            authorizations=tuple(Authorization.of_fields(it) for its in carried for it in its),
        )

    @classmethod
    def _of_legacy(cls, payload: bytes) -> UnsignedTransaction:
        nonce, price, gas, target, value, data, chain_id, *_ = rlp.decode(payload, _LEGACY)
        return cls(
            chain_id=chain_id,
            nonce=nonce,
            target="0x" + target.hex(),
            value=value,
            data=data,
            gas_limit=gas,
            max_fee_per_gas=price,
            tip_per_gas=None,
        )

    def _typed(self, tip: int, signature: list[object]) -> bytes:
        carried = [[it.fields() for it in self.authorizations]] if self.authorizations else []
        kind = SET_CODE if self.authorizations else DYNAMIC_FEE
        return bytes([kind]) + bytes(rlp.encode([*self._dynamic(tip), *carried, *signature]))

    def _dynamic(self, tip: int) -> list[object]:
        return [
            self.chain_id,
            self.nonce,
            tip,
            self.max_fee_per_gas,
            self.gas_limit,
            bytes.fromhex(self.target[2:]),
            self.value,
            self.data,
            [],
        ]

    def _legacy(self) -> list[object]:
        return [
            self.nonce,
            self.max_fee_per_gas,
            self.gas_limit,
            bytes.fromhex(self.target[2:]),
            self.value,
            self.data,
        ]


def hash_of(raw: bytes) -> str:
    """Return the name of a signed transaction: the hash of its bytes, as ``0x`` hex."""
    return "0x" + keccak(raw).hex()
