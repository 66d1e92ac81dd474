"""Messages from outside that call our wallets, and the name by which a message is looked for.

A message's own hash depends on how it was written: with the wallet's state or without, the body in
place or by reference. Whoever relays it may write it anew. So a message is stored and looked for
by its normalized hash (TEP-467), which depends on destination and body alone.

https://github.com/ton-blockchain/TEPs/blob/master/text/0467-normalized-message-hash.md
"""

from __future__ import annotations

from typing import Final

import attrs
from attrs.validators import ge, le
from pytoniq_core import Cell

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import MalformedCell, Reader, Writer

MESSAGE_BYTES_MAX: Final = 65_535
MESSAGE_DEPTH_MAX: Final = 512
"""What validators accept from outside: ``max_ext_msg_size`` and ``max_ext_msg_depth`` of
configuration parameter 43, which the main network has not set otherwise."""

_CODE_AND_STATE: Final = 0b00110
"""No split depth, nothing special; code and state; no libraries."""
_EXTERNAL_IN: Final = 0b10
_NOBODY, _OUTSIDE = 0b00, 0b01
"""Tags: ``ext_in_msg_info$10``; ``addr_none$00``, ``addr_extern$01``."""


@attrs.frozen
class MessageTooLarge(ValueError):
    """No validator would take the message."""

    octets: int
    depth: int

    def __str__(self) -> str:
        return f"a message of {self.octets} bytes and depth {self.depth}"


@attrs.frozen
class StateInit:
    """What an account begins with: its address is this value's hash."""

    code: Cell
    state: Cell

    def to_cell(self) -> Cell:
        """Return ``StateInit`` (block.tlb): only code and state."""
        return Writer().uint(_CODE_AND_STATE, 5).reference(self.code).reference(self.state).end()

    @classmethod
    def parse(cls, cell: Cell) -> StateInit:
        """Read what `to_cell` has written.

        Raises:
            MalformedCell: it is something else, or says more.
        """
        reader = Reader(cell)
        if reader.uint(5) != _CODE_AND_STATE:
            raise MalformedCell("no state of code and data alone")
        code, state = reader.reference(), reader.reference()
        reader.end()
        return cls(code, state)

    def address(self, *, workchain: int = 0) -> TonAddress:
        """Return where the account is."""
        return TonAddress(workchain, self.to_cell().hash)


@attrs.frozen(kw_only=True)
class ExternalMessage:
    """A signed message, and until when the chain may accept it.

    Attributes:
        destination: The wallet that it calls.
        body: What the wallet checks the signature of.
        init: Taken along by the first message of a wallet, which deploys it; costs size only.
        expires_at: Unix time in seconds. In a block of this time or later the wallet refuses it:
            once a final block is as late and the message in none, it never comes to be.
    """

    destination: TonAddress
    body: Cell
    init: StateInit | None = None
    expires_at: int = attrs.field(validator=[ge(0), le((1 << 64) - 1)])

    def to_cell(self) -> Cell:
        """Return ``ext_in_msg_info$10`` with state and body by reference."""
        begun = _addressed(self.destination)
        if self.init is None:
            begun.bits("0")
        else:
            begun.bits("11").reference(self.init.to_cell())
        return begun.bits("1").reference(self.body).end()

    def to_boc(self) -> bytes:
        """Return the bytes to store and send; the same message, the same bytes.

        Raises:
            MessageTooLarge: no validator would take them.
        """
        cell = self.to_cell()
        octets: bytes = cell.to_boc()
        if len(octets) > MESSAGE_BYTES_MAX or cell.get_depth() > MESSAGE_DEPTH_MAX:
            raise MessageTooLarge(len(octets), cell.get_depth())
        return octets

    @property
    def normalized_hash(self) -> bytes:
        """The name by which the message is looked for, 32 bytes."""
        return _normalized(self.destination, self.body)


def normalized_hash(message: Cell) -> bytes:
    """Return the normalized hash of any message from outside, however it is written.

    Raises:
        MalformedCell: it is no message from outside to an account.
    """
    reader = Reader(message)
    if reader.uint(2) != _EXTERNAL_IN:
        raise MalformedCell("no message from outside")
    _skip_sender(reader)
    destination = reader.address()
    if destination is None:
        raise MalformedCell("a message to nobody")
    reader.coins()
    if reader.flag():
        _skip_state(reader)
    body = reader.reference() if reader.flag() else reader.rest()
    return _normalized(destination, body)


def _normalized(destination: TonAddress, body: Cell) -> bytes:
    return _addressed(destination).bits("01").reference(body).end().hash


def _addressed(destination: TonAddress) -> Writer:
    """Begin a message from addr_none$00 to a wallet, with an import fee of zero."""
    begun = Writer().uint(_EXTERNAL_IN, 2).uint(_NOBODY, 2)
    return begun.address(destination).coins(0)


def _skip_sender(reader: Reader) -> None:
    tag = reader.uint(2)
    if tag == _OUTSIDE:
        if length := reader.uint(9):
            reader.skip(length)
    elif tag != _NOBODY:
        raise MalformedCell("a message of an account")


def _skip_state(reader: Reader) -> None:
    """Skip ``Either StateInit ^StateInit``; in place: depth, special, code, state and library."""
    if reader.flag():
        reader.reference()
        return
    if reader.flag():
        reader.uint(5)
    if reader.flag():
        reader.uint(2)
    for _ in range(3):
        reader.maybe_reference()
