"""Bodies of internal messages: text comments, and what jettons' contracts say (TEP-74).

https://github.com/ton-blockchain/TEPs/blob/master/text/0074-jettons-standard.md

Anybody can send any body to any account. So `parse` gives None for what has not the layout, and
raises nothing; whoever reads a body has first made sure which contract has sent it. What follows a
layout's last field is not looked at, as contracts do not look at it either.
"""

from __future__ import annotations

from typing import Final, Self

import attrs
from attrs.validators import ge, le
from pytoniq_core import Cell

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import COINS_MAX, MalformedCell, Reader, Writer

TEXT_COMMENT: Final = 0
TRANSFER: Final = 0x0F8A7EA5
INTERNAL_TRANSFER: Final = 0x178D4519
TRANSFER_NOTIFICATION: Final = 0x7362D09C
EXCESSES: Final = 0xD53276DB
BURN: Final = 0x595F07BC
BURN_NOTIFICATION: Final = 0x7BDD97DE
BOUNCED: Final = 0xFFFFFFFF
"""What a bounced body begins with, before the first 256 bits of the one that was refused."""

COMMENT_CELLS_MAX: Final = 64
"""Longer comments are not read: memos have a few dozen characters, 64 cells hold 8,000."""

_OP_BITS: Final = 32
_UNREADABLE: Final = "\0"
"""What PostgreSQL's text cannot hold is no text."""

_query_id: Final = [ge(0), le((1 << 64) - 1)]
_coins: Final = [ge(0), le(COINS_MAX)]


def comment(text: str) -> Cell:
    """Return the body that wallets show as a text: 32 zero bits and UTF-8, a snake of cells."""
    return Writer().uint(TEXT_COMMENT, _OP_BITS).snake(text.encode()).end()


def read_comment(body: Cell | None) -> str | None:
    """Return a body's text, or None if it has none that can be read.

    Reads the bodies of plain transfers and jettons' forward payloads alike. Binary and encrypted
    comments are none, nor is what is longer than `COMMENT_CELLS_MAX` cells or holds U+0000.
    """
    try:
        return None if body is None else _snake_text(Reader(body))
    except (MalformedCell, UnicodeDecodeError):
        return None


def _snake_text(reader: Reader) -> str | None:
    if reader.uint(_OP_BITS) != TEXT_COMMENT:
        return None
    octets = bytearray()
    for _ in range(COMMENT_CELLS_MAX):
        if reader.bits_left % 8 or reader.references_left > 1:
            return None
        octets += reader.octets(reader.bits_left // 8)
        if not reader.references_left:
            text = octets.decode("utf-8")
            return None if _UNREADABLE in text else text
        reader = Reader(reader.reference())
    return None


class _Body:
    """A layout: how it is told, and how its fields are read."""

    op: int

    @classmethod
    def parse(cls, body: Cell) -> Self | None:
        """Read a body, or return None if it is something else."""
        try:
            reader = Reader(body)
            return cls._read(reader) if reader.uint(_OP_BITS) == cls.op else None
        except MalformedCell:
            return None

    @classmethod
    def _read(cls, reader: Reader) -> Self:
        raise NotImplementedError

    def _begun(self, query_id: int) -> Writer:
        return Writer().uint(self.op, _OP_BITS).uint(query_id, 64)


@attrs.frozen(kw_only=True)
class JettonTransfer(_Body):
    """What an owner tells his own jetton wallet: ``transfer#0f8a7ea5``.

    Attributes:
        query_id: Comes back in the notification and the excesses.
        amount: In the jetton's smallest unit.
        destination: The new owner, not his jetton wallet.
        response_destination: Who gets the coins that are left over; nobody, if None.
        custom_payload: For jettons that extend the standard.
        forward_amount: In nanotons, sent to the new owner with the notification; for none, there
            is no notification.
        forward_payload: What the new owner is told; read by `read_comment` if it is a comment.
    """

    op = TRANSFER
    query_id: int = attrs.field(validator=_query_id)
    amount: int = attrs.field(validator=_coins)
    destination: TonAddress
    response_destination: TonAddress | None
    custom_payload: Cell | None = None
    forward_amount: int = attrs.field(validator=_coins)
    forward_payload: Cell | None = None

    def to_cell(self) -> Cell:
        """Return the body."""
        written = (
            self._begun(self.query_id)
            .coins(self.amount)
            .address(self.destination)
            .address(self.response_destination)
            .maybe_reference(self.custom_payload)
            .coins(self.forward_amount)
        )
        return _payload(written, self.forward_payload).end()

    @classmethod
    def _read(cls, reader: Reader) -> Self:
        return cls(
            query_id=reader.uint(64),
            amount=reader.coins(),
            destination=_somebody(reader),
            response_destination=reader.address(),
            custom_payload=reader.maybe_reference(),
            forward_amount=reader.coins(),
            forward_payload=_read_payload(reader),
        )


@attrs.frozen(kw_only=True)
class InternalTransfer(_Body):
    """What the sender's jetton wallet tells the recipient's: ``internal_transfer#178d4519``.

    It is the payment, if it comes from where it should and is not refused: the recipient's wallet
    has by then checked who sent it. `sender` is the owner of the jetton wallet that it came from.
    """

    op = INTERNAL_TRANSFER
    query_id: int = attrs.field(validator=_query_id)
    amount: int = attrs.field(validator=_coins)
    sender: TonAddress | None
    response_address: TonAddress | None
    forward_amount: int = attrs.field(validator=_coins)
    forward_payload: Cell | None = None

    def to_cell(self) -> Cell:
        """Return the body."""
        written = (
            self._begun(self.query_id)
            .coins(self.amount)
            .address(self.sender)
            .address(self.response_address)
            .coins(self.forward_amount)
        )
        return _payload(written, self.forward_payload).end()

    @classmethod
    def _read(cls, reader: Reader) -> Self:
        return cls(
            query_id=reader.uint(64),
            amount=reader.coins(),
            sender=reader.address(),
            response_address=reader.address(),
            forward_amount=reader.coins(),
            forward_payload=_read_payload(reader),
        )


@attrs.frozen(kw_only=True)
class TransferNotification(_Body):
    """What a jetton wallet tells its owner: ``transfer_notification#7362d09c``.

    Worth nothing unless its message comes from the owner's own wallet of a jetton that counts:
    anybody can write one.
    """

    op = TRANSFER_NOTIFICATION
    query_id: int = attrs.field(validator=_query_id)
    amount: int = attrs.field(validator=_coins)
    sender: TonAddress | None
    forward_payload: Cell | None = None

    def to_cell(self) -> Cell:
        """Return the body."""
        written = self._begun(self.query_id).coins(self.amount).address(self.sender)
        return _payload(written, self.forward_payload).end()

    @classmethod
    def _read(cls, reader: Reader) -> Self:
        return cls(
            query_id=reader.uint(64),
            amount=reader.coins(),
            sender=reader.address(),
            forward_payload=_read_payload(reader),
        )


@attrs.frozen(kw_only=True)
class Excesses(_Body):
    """The coins that a transfer or a burn has left over: ``excesses#d53276db``."""

    op = EXCESSES
    query_id: int = attrs.field(validator=_query_id)

    def to_cell(self) -> Cell:
        """Return the body."""
        return self._begun(self.query_id).end()

    @classmethod
    def _read(cls, reader: Reader) -> Self:
        return cls(query_id=reader.uint(64))


@attrs.frozen(kw_only=True)
class Burn(_Body):
    """What an owner tells his jetton wallet to destroy: ``burn#595f07bc``."""

    op = BURN
    query_id: int = attrs.field(validator=_query_id)
    amount: int = attrs.field(validator=_coins)
    response_destination: TonAddress | None
    custom_payload: Cell | None = None

    def to_cell(self) -> Cell:
        """Return the body."""
        written = self._begun(self.query_id).coins(self.amount)
        return (
            written.address(self.response_destination).maybe_reference(self.custom_payload).end()
        )

    @classmethod
    def _read(cls, reader: Reader) -> Self:
        return cls(
            query_id=reader.uint(64),
            amount=reader.coins(),
            response_destination=reader.address(),
            custom_payload=reader.maybe_reference(),
        )


def _somebody(reader: Reader) -> TonAddress:
    if (address := reader.address()) is None:
        raise MalformedCell("an address is missing")
    return address


def _payload(written: Writer, payload: Cell | None) -> Writer:
    """Append ``Either Cell ^Cell``: nothing in place, and anything by reference."""
    return written.maybe_reference(payload)


def _read_payload(reader: Reader) -> Cell | None:
    """Read ``Either Cell ^Cell``; a payload that is missing or broken takes no money back."""
    if not reader.bits_left:
        return None
    if reader.flag():
        return reader.reference() if reader.references_left else None
    rest = reader.rest()
    return rest if rest.bits or rest.refs else None
