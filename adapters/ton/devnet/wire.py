"""TL: what a client asks, read by hand, and what it is answered, by pytoniq-core's schemas."""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import attrs
from pytoniq_core import BlockIdExt
from pytoniq_core.tl.generator import TlGenerator

if TYPE_CHECKING:
    from pytoniq_core.tl.generator import TlSchemas

MALFORMED = -400
"""The code for a query that is none, or unknown."""

LONG_BYTES = 254
"""The length of a text from which on it is told in three bytes instead of one."""


class QueryRefused(Exception):
    """What a liteserver answers in place of a result (TL ``liteServer.error``).

    Attributes:
        code: As ``tl/generate/scheme/lite_api.tl`` and ``ton/ton-types.h`` of
            github.com/ton-blockchain/ton have them.
        reason: For people.
    """

    def __init__(self, *, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


@attrs.define
class Reader:
    """Reads TL values one after another.

    Raises:
        QueryRefused: The text ends before the value does.
    """

    text: Final[bytes]
    place: int = 0

    def take(self, count: int) -> bytes:
        """Read so many bytes."""
        taken = self.text[self.place : self.place + count]
        if len(taken) != count:
            raise QueryRefused(code=MALFORMED, reason="the query is cut short")
        self.place += count
        return taken

    def int32(self) -> int:
        """Read TL ``int``."""
        return int.from_bytes(self.take(4), "little", signed=True)

    def int64(self) -> int:
        """Read TL ``long``."""
        return int.from_bytes(self.take(8), "little", signed=True)

    def int256(self) -> bytes:
        """Read TL ``int256``."""
        return self.take(32)

    def block_id(self) -> BlockIdExt:
        """Read TL ``tonNode.blockIdExt``."""
        return BlockIdExt(self.int32(), self.int64(), self.int32(), self.int256(), self.int256())

    def account_id(self) -> tuple[int, bytes]:
        """Read TL ``liteServer.accountId``: the workchain and the account's id."""
        return self.int32(), self.int256()

    def bytes(self) -> bytes:
        """Read TL ``bytes``."""
        length, prefix = self.take(1)[0], 1
        if length == LONG_BYTES:
            length, prefix = int.from_bytes(self.take(3), "little"), 4
        found = self.take(length)
        self.take(-(length + prefix) % 4)
        return found


def tl_bytes(content: bytes) -> bytes:
    """Return TL ``bytes``."""
    if len(content) < LONG_BYTES:
        text = bytes([len(content)]) + content
    else:
        text = bytes([LONG_BYTES]) + len(content).to_bytes(3, "little") + content
    return text + bytes(-len(text) % 4)


def tl_answer(name: str, **fields: Any) -> bytes:  # noqa: ANN401 - each schema has its own types
    """Return an answer of the liteserver's schema (``lite_api.tl``), by its name there."""
    schemas = _schemas()
    answer: bytes = schemas.serialize(schemas.get_by_name(f"liteServer.{name}"), fields)
    return answer


def tl_error(refused: QueryRefused) -> bytes:
    """Return TL ``liteServer.error``; pytoniq-core takes no text for a ``string``."""
    code = struct.pack("<i", refused.code)
    return tl_id("liteServer.error") + code + tl_bytes(refused.reason.encode())


@cache
def tl_id(name: str) -> bytes:
    """Return the number of a schema as it stands before a value."""
    schema = _schemas().get_by_name(name)
    if schema is None:
        raise LookupError(name)
    return schema.little_id()


@cache
def _schemas() -> TlSchemas:
    schemas: TlSchemas = TlGenerator.with_default_schemas().generate()
    return schemas
