"""ADNL over TCP, the server's side: the handshake, packets, queries and pings.

Protocol: docs.ton.org/v3/documentation/network/protocols/adnl/adnl-tcp.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey
from pytoniq_core.crypto.ciphers import create_aes_ctr_cipher, get_shared_key

from adapters.ton.devnet.wire import QueryRefused, Reader, tl_bytes, tl_id

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

HANDSHAKE_BYTES = 256
PACKET_BYTES_MIN = 64
"""A nonce and a checksum, and nothing between them."""

PACKET_BYTES_MAX = 1 << 24
KEY_MAGIC = b"\xc6\xb4\x13\x48"
"""What a public key's hash begins with (TL ``pub.ed25519``)."""

Respond = Callable[[bytes], Awaitable[bytes | None]]
"""Answers a query of the liteserver; None leaves it unanswered."""


class ServerKey:
    """The key by which clients know a server.

    Args:
        seed: 32 bytes of chance.
    """

    def __init__(self, seed: bytes) -> None:
        self._key: Final = SigningKey(seed)
        self.public: Final = bytes(self._key.verify_key)
        self.id: Final = hashlib.sha256(KEY_MAGIC + self.public).digest()

    def shared(self, client: bytes) -> bytes:
        """Return the secret shared with the owner of a public key.

        Raises:
            CryptoError: That is no public key.
        """
        mine = self._key.to_curve25519_private_key().encode()
        theirs = VerifyKey(client).to_curve25519_public_key().encode()
        return get_shared_key(mine, theirs)


class NotAdnl(Exception):
    """What a client sends is not ADNL, or meant for another server."""


class Gone(Exception):
    """A client has hung up; what it asked is not answered any more."""


class Connection:
    """One client, from its handshake on."""

    def __init__(self, *, reader: StreamReader, writer: StreamWriter, respond: Respond) -> None:
        self._reader: Final = reader
        self._writer: Final = writer
        self._respond: Final = respond

    async def shake_hands(self, key: ServerKey) -> None:
        """Agree on ciphers.

        Raises:
            NotAdnl: Not with this client.
        """
        hello = Reader(await self._reader.readexactly(HANDSHAKE_BYTES))
        server, client, checksum, sealed = (
            hello.take(32), hello.take(32), hello.take(32), hello.take(160),
        )  # fmt: skip
        if server != key.id:
            raise NotAdnl
        try:
            shared = key.shared(client)
        except CryptoError as error:
            raise NotAdnl from error
        cipher = create_aes_ctr_cipher(shared[:16] + checksum[16:32], checksum[:4] + shared[20:32])
        chosen = cipher.decrypt(sealed)
        if hashlib.sha256(chosen).digest() != checksum:
            raise NotAdnl
        self._out = create_aes_ctr_cipher(chosen[0:32], chosen[64:80])
        self._in = create_aes_ctr_cipher(chosen[32:64], chosen[80:96])

    def write(self, content: bytes) -> None:
        """Send a packet."""
        body = secrets.token_bytes(32) + content
        packet = body + hashlib.sha256(body).digest()
        self._writer.write(self._out.encrypt(len(packet).to_bytes(4, "little") + packet))

    async def read(self) -> bytes:
        """Return what the next packet holds.

        Raises:
            NotAdnl: It is not what the client sent, or too long.
            IncompleteReadError: The client is gone.
        """
        size = self._in.decrypt(await self._reader.readexactly(4))
        length = int.from_bytes(size, "little")
        if not PACKET_BYTES_MIN <= length <= PACKET_BYTES_MAX:
            raise NotAdnl
        packet: bytes = self._in.decrypt(await self._reader.readexactly(length))
        if hashlib.sha256(packet[:-32]).digest() != packet[-32:]:
            raise NotAdnl
        return packet[32:-32]

    async def answer(self, packet: bytes) -> None:
        """Answer a query of the liteserver; anything else is ignored.

        Raises:
            QueryRefused: The packet is cut short.
        """
        reader = Reader(packet)
        if reader.take(4) != tl_id("adnl.message.query"):
            return
        number = reader.int256()
        query = Reader(reader.bytes())
        if query.take(4) != tl_id("liteServer.query"):
            return
        answer = await self._respond(query.bytes())
        if answer is not None:
            self.write(tl_id("adnl.message.answer") + number + tl_bytes(answer))
            await self._writer.drain()


async def serve_client(
    *,
    reader: StreamReader,
    writer: StreamWriter,
    key: ServerKey,
    respond: Respond,
    silent: Callable[[], bool],
) -> None:
    """Serve one client until it goes, each query in a task of its own.

    Args:
        reader: From the client.
        writer: To the client.
        key: The server's.
        respond: Answers queries.
        silent: Whether the server says nothing at the moment, not even that it is there.
    """
    connection = Connection(reader=reader, writer=writer, respond=respond)
    try:
        async with asyncio.TaskGroup() as queries:
            try:
                await connection.shake_hands(key)
                if not silent():
                    connection.write(b"")
                while True:
                    packet = await connection.read()
                    if packet[:4] == tl_id("tcp.ping"):
                        if not silent():
                            connection.write(tl_id("tcp.pong") + packet[4:12])
                    else:
                        queries.create_task(connection.answer(packet))
            except (EOFError, ConnectionError, NotAdnl):
                raise Gone from None
    except* (Gone, ConnectionError, QueryRefused):
        pass
    finally:
        writer.close()
