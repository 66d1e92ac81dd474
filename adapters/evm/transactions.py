"""Transactions as bytes: EIP-1559 ones and, for chains without a base fee, legacy EIP-155 ones."""

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

DYNAMIC_FEE: Final = 2
"""The envelope's first byte (EIP-2718, EIP-1559)."""

_EIP155_V = 35
_ADDRESS = Binary.fixed_length(20)
_NUMBER = big_endian_int
_DYNAMIC = List(
    [_NUMBER, _NUMBER, _NUMBER, _NUMBER, _NUMBER, _ADDRESS, _NUMBER, binary, CountableList(binary)]
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

    @property
    def fee_limit(self) -> int:
        """The most the network can take for it, in wei."""
        return self.gas_limit * self.max_fee_per_gas

    def encode(self) -> bytes:
        """Return the bytes whose hash is signed."""
        if self.tip_per_gas is None:
            fields = [*self._legacy(), self.chain_id, 0, 0]
            return bytes(rlp.encode(fields))
        return bytes([DYNAMIC_FEE]) + bytes(rlp.encode(self._dynamic(self.tip_per_gas)))

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
        fields = [*self._dynamic(self.tip_per_gas), parity, r, s]
        return bytes([DYNAMIC_FEE]) + bytes(rlp.encode(fields))

    @classmethod
    def decode(cls, unsigned: bytes) -> UnsignedTransaction:
        """Read what `encode` has written, and nothing else.

        Raises:
            NotATransaction: the bytes are of another form, hold an access list or create a
                contract.
        """
        try:
            if unsigned[:1] == bytes([DYNAMIC_FEE]):
                transaction = cls._of_dynamic(unsigned[1:])
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
        dynamic = raw[:1] == bytes([DYNAMIC_FEE])
        try:
            fields = rlp.decode(raw[1:] if dynamic else raw)
            # The y parity, r and s come last; in a legacy transaction v stands for the chain id.
            *body, v, _, _ = fields
            if dynamic:
                return cls.decode(bytes([DYNAMIC_FEE]) + bytes(rlp.encode(body)))
            chain_id = (int.from_bytes(v, "big") - _EIP155_V) // 2
            return cls.decode(bytes(rlp.encode([*body, _NUMBER.serialize(chain_id), b"", b""])))
        except (rlp.RLPException, ValueError, TypeError) as error:
            raise NotATransaction("these bytes are no signed transaction") from error

    @classmethod
    def _of_dynamic(cls, payload: bytes) -> UnsignedTransaction:
        chain_id, nonce, tip, fee, gas, target, value, data, _ = rlp.decode(payload, _DYNAMIC)
        return cls(
            chain_id=chain_id,
            nonce=nonce,
            target="0x" + target.hex(),
            value=value,
            data=data,
            gas_limit=gas,
            max_fee_per_gas=fee,
            tip_per_gas=tip,
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
