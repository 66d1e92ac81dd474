"""The highload wallet, version 3: many transfers by one message, and none waits for another.

https://github.com/ton-blockchain/highload-wallet-contract-v3

Each message has a query id, which the wallet accepts once within its timeout, so messages may be
sent and land in any order. Nothing here picks a number or reads a clock: the same arguments give
the same bytes, and a message that was stored can be made again, never made differently.

A batch is sent by the wallet to itself together with its value. So it is sent as a whole or, where
coins are lacking, not at all, and one transfer that cannot be sent takes the others back with it.
The query id is used up in either case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from attrs.validators import ge, le, max_len, min_len
from pytoniq.contract.wallets.highload_v3 import HIGHLOAD_V3_WALLET_CODE
from pytoniq_core import Cell
from pytoniq_core.crypto.signature import verify_sign

from adapters.ton.cells import COINS_MAX, MalformedCell, Reader, Writer
from adapters.ton.external import ExternalMessage, StateInit
from adapters.ton.internal import InternalMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adapters.ton.addresses import TonAddress

DEFAULT_SUBWALLET: Final = 0x10AD
"""The number that the contract's own wrapper takes; another one gives another wallet."""

TIMEOUT_BITS: Final = 22
TIMEOUT_SECONDS_MAX: Final = (1 << TIMEOUT_BITS) - 1
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

BITS_PER_SHIFT: Final = 1_023
"""A query id is the place of a bit: one of 8,192 cells (13 bits, the shift) and a bit there (10).
A cell has 1,023 bits, so bit number 1,023, which ten bits can name, does not exist."""
SHIFTS: Final = 1 << 13
QUERIES_PER_ROUND: Final = SHIFTS * BITS_PER_SHIFT - 1
"""8,380,415. The last id is left for withdrawing by hand when all others are used up."""

TRANSFERS_MAX: Final = 250
"""Of 255 actions that one run may take; the wallet adds one of its own to a batch."""

INTERNAL_TRANSFER: Final = 0xAE42E5A4
ACTION_SEND: Final = 0x0EC3C86D
"""``action_send_msg#0ec3c86d mode:(## 8) out_msg:^(MessageRelaxed Any)`` (block.tlb)."""
PAY_FEES_APART: Final = 1
"""A transfer arrives whole, and the wallet pays for it. Errors are not ignored (2 is not set): a
payout that was skipped without a trace would look like one that was made."""


class NotOurSignature(ValueError):
    """The signature is not one of the wallet's key over what is to be sent."""


def is_public_key(_: object, __: object, key: bytes) -> None:
    """Insist, as attrs asks it, on the length of an Ed25519 key."""
    if len(key) != PUBLIC_KEY_BYTES:
        raise ValueError(f"a public key is {PUBLIC_KEY_BYTES} bytes, not {len(key)}")


def is_query(_: object, __: object, query: int) -> None:
    """Insist, as attrs asks it, on a query id that is given out."""
    place_in_round(query)


def query_id(sequence: int) -> int:
    """Return the query id of a number in a plain sequence: 0, 1, 2 and so on without end.

    After `QUERIES_PER_ROUND` the ids begin again. The wallet forgets an id no later than twice its
    timeout after it was used, so a round must not be gone through faster than that: with a timeout
    of an hour, at 1,163 messages in a second.
    """
    if sequence < 0:
        raise ValueError(f"a sequence does not count down to {sequence}")
    shift, bit = divmod(sequence % QUERIES_PER_ROUND, BITS_PER_SHIFT)
    return shift << 10 | bit


def place_in_round(query: int) -> int:
    """Return which one in a round a query id is, from 0.

    Raises:
        ValueError: it is no id, names the bit that is not there, or is the one left over.
    """
    shift, bit = query >> 10, query & 0x3FF
    place = shift * BITS_PER_SHIFT + bit
    if bit == BITS_PER_SHIFT or not 0 <= place < QUERIES_PER_ROUND:
        raise ValueError(f"{query} is no query id that is given out")
    return place


@attrs.frozen(kw_only=True)
class HighloadBatch:
    """What a wallet is told to send by one message.

    Attributes:
        query: From `query_id`; stored before the message is signed.
        created_at: Unix time in seconds, not after the time of the block that takes the message
            in: the newest block's time is right, a clock may be ahead of it.
        transfers: At least one.
        allowance: Nanotons that the wallet sends to itself on top of the transfers' sum, for gas
            and forwarding; what is left of it stays in the wallet. See `adapters.ton.fees`.
    """

    query: int = attrs.field(validator=is_query)
    created_at: int = attrs.field(validator=[ge(0), le((1 << 64) - 1)])
    transfers: tuple[InternalMessage, ...] = attrs.field(
        converter=tuple[InternalMessage, ...], validator=[min_len(1), max_len(TRANSFERS_MAX)]
    )
    allowance: int = attrs.field(validator=[ge(0), le(COINS_MAX)])

    @property
    def value(self) -> int:
        """What the wallet sends to itself, in nanotons."""
        return self.allowance + sum(transfer.value for transfer in self.transfers)


@attrs.frozen(kw_only=True)
class HighloadWallet:
    """One wallet: its address follows from these three values, and no other has it.

    Attributes:
        public_key: Ed25519, 32 bytes.
        timeout_seconds: How long after its creation a message may be taken in. It is part of the
            address, and messages name it.
        subwallet_id: Tells apart wallets of one key.
    """

    public_key: bytes = attrs.field(validator=is_public_key)
    timeout_seconds: int = attrs.field(validator=[ge(1), le(TIMEOUT_SECONDS_MAX)])
    subwallet_id: int = attrs.field(
        default=DEFAULT_SUBWALLET, validator=[ge(0), le((1 << 32) - 1)]
    )

    @property
    def init(self) -> StateInit:
        """Code and first state: key, subwallet, no queries old or new, never cleaned, timeout."""
        state = (
            Writer()
            .octets(self.public_key)
            .uint(self.subwallet_id, 32)
            .bits("00")
            .uint(0, 64)
            .uint(self.timeout_seconds, TIMEOUT_BITS)
            .end()
        )
        return StateInit(HIGHLOAD_V3_WALLET_CODE, state)

    @property
    def address(self) -> TonAddress:
        """Where the wallet is, deployed or not."""
        return self.init.address()

    def unsigned(self, batch: HighloadBatch) -> Cell:
        """Return what is signed, by its hash: ``MsgInner`` of the contract's scheme.tlb."""
        to_itself = InternalMessage(
            destination=self.address, value=batch.value, bounce=False, body=_actions_body(batch)
        )
        return (
            Writer()
            .uint(self.subwallet_id, 32)
            .reference(to_itself.to_cell())
            .uint(PAY_FEES_APART, 8)
            .uint(batch.query, 23)
            .uint(batch.created_at, 64)
            .uint(self.timeout_seconds, TIMEOUT_BITS)
            .end()
        )

    def read(self, unsigned: Cell) -> HighloadBatch:
        """Read what `unsigned` has written, so that a signer knows what it signs.

        Raises:
            MalformedCell: it is something else, or not for this wallet.
        """
        reader = Reader(unsigned)
        subwallet, inner = reader.uint(32), InternalMessage.parse(reader.reference())
        mode, query, created_at = reader.uint(8), reader.uint(23), reader.uint(64)
        timeout = reader.uint(TIMEOUT_BITS)
        reader.end()
        told = (subwallet, timeout, mode, inner.destination, inner.bounce)
        if told != (self.subwallet_id, self.timeout_seconds, PAY_FEES_APART, self.address, False):
            raise MalformedCell("a batch of another wallet")
        transfers = _read_actions(inner.body, query=query)
        try:
            return HighloadBatch(
                query=query,
                created_at=created_at,
                transfers=transfers,
                allowance=inner.value - sum(transfer.value for transfer in transfers),
            )
        except ValueError as error:
            raise MalformedCell("a batch that could not be") from error

    def signed(self, unsigned: Cell, *, signature: bytes, deploy: bool) -> ExternalMessage:
        """Return the message to store and send.

        Args:
            unsigned: From `unsigned`.
            signature: Ed25519 of the cell's hash.
            deploy: Whether to take the wallet's code along; the wallet's first message has to.

        Raises:
            MalformedCell: the cell is something else, or not for this wallet.
            NotOurSignature: the signature is wrong.
        """
        batch = self.read(unsigned)
        if len(signature) != SIGNATURE_BYTES or not verify_sign(
            self.public_key, unsigned.hash, signature
        ):
            raise NotOurSignature("not a signature of the wallet's key")
        return ExternalMessage(
            destination=self.address,
            body=Writer().octets(signature).reference(unsigned).end(),
            init=self.init if deploy else None,
            expires_at=batch.created_at + self.timeout_seconds,
        )

    def message(
        self, batch: HighloadBatch, *, sign: Callable[[bytes], bytes], deploy: bool
    ) -> ExternalMessage:
        """Return the signed message; ``sign`` takes a hash of 32 bytes."""
        unsigned = self.unsigned(batch)
        return self.signed(unsigned, signature=sign(unsigned.hash), deploy=deploy)


def _actions_body(batch: HighloadBatch) -> Cell:
    """Return what the wallet tells itself: ``OutList``, whose last action is the outermost."""
    actions = Cell.empty()
    for transfer in batch.transfers:
        actions = (
            Writer()
            .reference(actions)
            .uint(ACTION_SEND, 32)
            .uint(PAY_FEES_APART, 8)
            .reference(transfer.to_cell())
            .end()
        )
    return Writer().uint(INTERNAL_TRANSFER, 32).uint(batch.query, 64).reference(actions).end()


def _read_actions(body: Cell, *, query: int) -> Sequence[InternalMessage]:
    reader = Reader(body)
    if (reader.uint(32), reader.uint(64)) != (INTERNAL_TRANSFER, query):
        raise MalformedCell("not what the wallet tells itself")
    actions = reader.reference()
    reader.end()
    transfers: list[InternalMessage] = []
    while actions.bits or actions.refs:
        if len(transfers) >= TRANSFERS_MAX:
            raise MalformedCell(f"more than {TRANSFERS_MAX} actions")
        reader = Reader(actions)
        actions = reader.reference()
        if (reader.uint(32), reader.uint(8)) != (ACTION_SEND, PAY_FEES_APART):
            raise MalformedCell("another action than to send")
        transfers.append(InternalMessage.parse(reader.reference()))
        reader.end()
    return transfers[::-1]
