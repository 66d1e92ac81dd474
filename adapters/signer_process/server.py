"""The signer's side: a socket that takes one question a connection and answers it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import stat
import struct
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from adapters.signer_process.messages import (
    LENGTH_BYTES,
    Conversation,
    Failed,
    Misheard,
    Refused,
    Signed,
    framed,
    length_of,
)
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from adapters.signer_process.messages import Answer, Question

LOOPBACK: Final = "127.0.0.1"
CONNECTIONS_MAX: Final = 64
PATIENCE_SECONDS: Final = 10.0
"""How long a connection may take to say what it wants, and to take the answer."""
PARTING_SECONDS: Final = 1.0
"""How long it may still take when the signer stops."""

_CREDENTIALS: Final = struct.Struct("3i")
"""Linux's ``struct ucred``: process, user, group (unix(7), SO_PEERCRED)."""

log = logging.getLogger(__name__)


@attrs.frozen
class SocketTaken(Exception):
    """Something is in the signer's place that this process did not put there."""

    place: str


@attrs.frozen(kw_only=True)
class Desk:
    """Where the signer listens, and who may ask."""

    place: Path | int
    """A socket in the file system, or a port of 127.0.0.1; 0 for any."""
    secret: bytes | None = attrs.field(default=None, repr=False)
    """What both sides have; needed for a port, where the system does not say who is there."""
    users: frozenset[int] = frozenset()
    """Who may ask besides this process's own user, by number, where the system tells it."""
    group: int | None = None
    """The group whose members may open the socket as well, by number."""

    def __attrs_post_init__(self) -> None:
        if isinstance(self.place, int) and self.secret is None:
            raise ValueError("a port needs a secret")

    def __reduce__(self) -> str:
        raise TypeError("a secret stays in its process")


class SignerServer:
    """Answers questions one after the other."""

    def __init__(self, desk: Desk, sign: Callable[[Question, str], bytes]) -> None:
        """Take what signs.

        Args:
            desk: Where to listen.
            sign: Takes a question and who asks; returns the signed bytes or raises
                `SigningRefused`. Whatever else it raises is told as a trouble of the signer.
        """
        self._desk: Final = desk
        self.sign: Final = sign
        self._conversations: Final[set[asyncio.Task[None]]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Path | int]:
        """Listen for as long as the block runs; give where.

        Raises:
            SocketTaken: another signer listens there, or there is something that is no socket.
        """
        place = self._desk.place
        if isinstance(place, int):
            listener = socket.create_server((LOOPBACK, place))
        else:
            listener = _bound(place, self._desk.group)
        server = await asyncio.start_server(self._serve, sock=listener, backlog=CONNECTIONS_MAX)
        try:
            yield listener.getsockname()[1] if isinstance(place, int) else place
        finally:
            server.close()
            await self._end()
            if isinstance(place, Path):
                place.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._conversations.add(task)
            task.add_done_callback(self._conversations.discard)
        try:
            client = self._client(writer)
            if client is None or len(self._conversations) > CONNECTIONS_MAX:
                log.warning("somebody who may not ask, or one too many: not answered")
                return
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._converse(reader, writer, client)
        except (Misheard, EOFError, OSError, TimeoutError) as error:
            log.warning("a question was not understood: %s", error)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _end(self) -> None:
        """Let those who are being answered have their answer, and wait for nobody else."""
        running = tuple(self._conversations)
        if not running:
            return
        _, unfinished = await asyncio.wait(running, timeout=PARTING_SECONDS)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str
    ) -> None:
        conversation = Conversation.begin(self._desk.secret)
        writer.write(conversation.greeting)
        await writer.drain()
        length = length_of(await reader.readexactly(LENGTH_BYTES))
        nonce, question = conversation.heard(await reader.readexactly(length))
        writer.write(framed(conversation.answered(nonce, self._answer(question, client))))
        await writer.drain()

    def _answer(self, question: Question, client: str) -> Answer:
        try:
            return Signed(self.sign(question, client))
        except SigningRefused as refusal:
            log.warning("refused: %s", refusal.why)
            return Refused(refusal.why)
        except Exception as error:  # noqa: BLE001 (whatever it is, the next one is answered)
            # Its kind and no more: it may come from code that holds a key.
            log.error("cannot sign: %s", type(error).__name__)  # noqa: TRY400 (as just said)
            return Failed(type(error).__name__)

    def _client(self, writer: asyncio.StreamWriter) -> str | None:
        """Return who is there; None if he may not ask."""
        connection = writer.get_extra_info("socket")
        if isinstance(self._desk.place, int):
            return "loopback"
        option = getattr(socket, "SO_PEERCRED", None)
        if option is None:
            # The socket's mode has to do: the system does not say who it is.
            return "unix"
        told = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
        process, user, _ = _CREDENTIALS.unpack(told)
        return f"user {user} process {process}" if self._may_ask(user) else None

    def _may_ask(self, user: int) -> bool:
        return user == os.geteuid() or user in self._desk.users


def _bound(place: Path, group: int | None) -> socket.socket:
    """Make a socket that nobody else can open, not even for a moment."""
    if place.exists():
        _make_room(place)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(place))
    except OSError as error:
        listener.close()
        raise SocketTaken(str(place)) from error
    finally:
        os.umask(before)
    if group is not None:
        os.chown(place, -1, group)
        place.chmod(0o660)
    return listener


def _make_room(place: Path) -> None:
    """Take away what a killed signer has left behind, and nothing else."""
    if not stat.S_ISSOCK(place.lstat().st_mode):
        raise SocketTaken(str(place))
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(place))
        except ConnectionRefusedError:
            place.unlink(missing_ok=True)
            return
        except OSError:
            pass
    raise SocketTaken(str(place))
