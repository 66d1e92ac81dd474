"""Deposit wallets: one for every payment intent, all of one key.

A deposit wallet is a wallet of version 4, release 2, whose subwallet id is a base and the intent's
index. Its address follows from the public key alone, so the process that hands out addresses has
no private key; the wallet is deployed by the message that sweeps it.

Why this version: its subwallet id is 32 free bits, which is an address for each of four thousand
million intents. In version 5 the id also holds network, workchain and version and leaves fifteen
bits: 32,768 addresses a key. Version 3 has no get-method for its id, and version 4 is known to
every explorer and wallet, so that a person with the key can get at a deposit without this program.

https://github.com/ton-blockchain/wallet-contract/tree/v4r2-stable
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from attrs.validators import ge, le, lt
from pytoniq.contract.wallets.wallet import WALLET_V4_R2_CODE
from pytoniq_core.crypto.signature import verify_sign

from adapters.ton.cells import MalformedCell, Reader, Writer
from adapters.ton.external import ExternalMessage, StateInit
from adapters.ton.highload import SIGNATURE_BYTES, NotOurSignature, is_public_key
from adapters.ton.internal import InternalMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytoniq_core import Cell

    from adapters.ton.addresses import TonAddress

SUBWALLETS: Final = 1 << 32
WALLET_ID: Final = 698_983_191
"""What wallet programs take by themselves (0x29a9a317). A base elsewhere keeps deposits apart from
wallets that somebody makes of the same key."""

IGNORE_ERRORS: Final = 2
"""Has to be set: a message whose sending fails would take back the sequence number with it, and be
run again and again, for gas, until it expires."""
PAY_FEES_APART: Final = 1
CARRY_BALANCE: Final = 128

_SEND: Final = 0
"""The operation that sends messages; others deploy and install plugins."""


@attrs.frozen
class IndexOutOfRange(ValueError):
    """There is no deposit wallet at this place."""

    index: int


@attrs.frozen(kw_only=True)
class Sweep:
    """One message that a deposit wallet sends: its coins, or its jetton wallet's jettons.

    Attributes:
        message: What to send. A sweep of jettons is a `jetton_transfer`, for which the deposit
            wallet must hold the coins attached, and the gas of its own run.
        seqno: How many messages the wallet has sent; 0 for a wallet that is not deployed.
        valid_until: Unix time in seconds; at this time the wallet refuses the message.
        takes_everything: Sends all coins there are; the message's own value must be 0.
    """

    message: InternalMessage
    seqno: int = attrs.field(validator=[ge(0), lt(1 << 32)])
    valid_until: int = attrs.field(validator=[ge(0), lt(1 << 32)])
    takes_everything: bool = False

    def __attrs_post_init__(self) -> None:
        if self.takes_everything and self.message.value:
            raise ValueError("everything, and a value besides")

    @property
    def mode(self) -> int:
        """How the message is sent."""
        return IGNORE_ERRORS | (CARRY_BALANCE if self.takes_everything else PAY_FEES_APART)


@attrs.frozen(kw_only=True)
class DepositWallet:
    """One wallet, deployed or not."""

    public_key: bytes = attrs.field(validator=is_public_key)
    subwallet_id: int = attrs.field(validator=[ge(0), le(SUBWALLETS - 1)])

    @property
    def init(self) -> StateInit:
        """Code and first state: sequence number 0, subwallet, key, no plugins."""
        state = Writer().uint(0, 32).uint(self.subwallet_id, 32).octets(self.public_key).bits("0")
        return StateInit(WALLET_V4_R2_CODE, state.end())

    @property
    def address(self) -> TonAddress:
        """Where the wallet is."""
        return self.init.address()

    def unsigned(self, sweep: Sweep) -> Cell:
        """Return what is signed, by its hash."""
        return (
            Writer()
            .uint(self.subwallet_id, 32)
            .uint(sweep.valid_until, 32)
            .uint(sweep.seqno, 32)
            .uint(_SEND, 8)
            .uint(sweep.mode, 8)
            .reference(sweep.message.to_cell())
            .end()
        )

    def read(self, unsigned: Cell) -> Sweep:
        """Read what `unsigned` has written, so that a signer knows what it signs.

        Raises:
            MalformedCell: it is something else, or not for this wallet.
        """
        reader = Reader(unsigned)
        subwallet, valid_until, seqno = reader.uint(32), reader.uint(32), reader.uint(32)
        operation, mode = reader.uint(8), reader.uint(8)
        message = InternalMessage.parse(reader.reference())
        reader.end()
        if (subwallet, operation) != (self.subwallet_id, _SEND):
            raise MalformedCell("a sweep of another wallet, or none")
        if mode not in (IGNORE_ERRORS | CARRY_BALANCE, IGNORE_ERRORS | PAY_FEES_APART):
            raise MalformedCell(f"a sweep in mode {mode}")
        takes_everything = bool(mode & CARRY_BALANCE)
        if takes_everything and message.value:
            raise MalformedCell("everything, and a value besides")
        return Sweep(
            message=message,
            seqno=seqno,
            valid_until=valid_until,
            takes_everything=takes_everything,
        )

    def signed(self, unsigned: Cell, *, signature: bytes) -> ExternalMessage:
        """Return the message to store and send; the wallet's first one deploys it.

        Args:
            unsigned: From `unsigned`.
            signature: Ed25519 of the cell's hash.

        Raises:
            MalformedCell: the cell is something else, or not for this wallet.
            NotOurSignature: the signature is wrong.
        """
        sweep = self.read(unsigned)
        if len(signature) != SIGNATURE_BYTES or not verify_sign(
            self.public_key, unsigned.hash, signature
        ):
            raise NotOurSignature("not a signature of the wallet's key")
        return ExternalMessage(
            destination=self.address,
            body=Writer().octets(signature).contents(unsigned).end(),
            init=None if sweep.seqno else self.init,
            expires_at=sweep.valid_until,
        )

    def message(self, sweep: Sweep, *, sign: Callable[[bytes], bytes]) -> ExternalMessage:
        """Return the signed message; ``sign`` takes a hash of 32 bytes."""
        unsigned = self.unsigned(sweep)
        return self.signed(unsigned, signature=sign(unsigned.hash))


@attrs.frozen(kw_only=True)
class DepositWallets:
    """The deposit wallets of one public key; implements `ports.deposit_addresses`.

    Attributes:
        public_key: Ed25519, 32 bytes.
        base: The subwallet id of the wallet at index 0.
    """

    public_key: bytes = attrs.field(validator=is_public_key)
    base: int = attrs.field(default=0, validator=[ge(0), lt(SUBWALLETS)])

    def at(self, index: int) -> DepositWallet:
        """Return the wallet at a place.

        Raises:
            IndexOutOfRange: there is none; places count from 0 up to the last subwallet id.
        """
        if index < 0 or self.base + index >= SUBWALLETS:
            raise IndexOutOfRange(index)
        return DepositWallet(public_key=self.public_key, subwallet_id=self.base + index)

    def derive(self, index: int) -> str:
        """Return the raw address at a place.

        Raises:
            IndexOutOfRange: there is none.
        """
        return self.at(index).address.raw
