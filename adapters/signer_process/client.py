"""Signers that are elsewhere: `ports.signer`, by asking a process that has the keys."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from adapters.signer_process.messages import (
    LENGTH_BYTES,
    NONCE_BYTES,
    Conversation,
    Misheard,
    Refused,
    Signed,
    SignSweep,
    SignTransaction,
    framed,
    length_of,
)
from ports.signer import SignerUnavailable, SigningRefused

if TYPE_CHECKING:
    from adapters.signer_process.messages import Answer, Question

LOOPBACK: Final = "127.0.0.1"


@attrs.frozen(kw_only=True)
class SignerAddress:
    """Where a signer listens, and how long it may take for an answer."""

    place: Path | int
    """A socket in the file system, or a port of 127.0.0.1."""
    secret: bytes | None = attrs.field(default=None, repr=False)
    """What both sides have, where it is a port."""
    timeout_seconds: float = 5.0

    def __reduce__(self) -> str:
        raise TypeError("a secret stays in its process")

    def ask(self, question: Question) -> Answer:
        """Ask one question over a connection of its own.

        Raises:
            SignerUnavailable: nobody answers in time, or what answers is not understood. The
                question may have been heard.
        """
        deadline = time.monotonic() + self.timeout_seconds
        try:
            with self._connected() as connection:
                return self._asked(_Line(connection, deadline), question)
        except (OSError, EOFError, Misheard) as error:
            # Only its kind: a message of the system may hold a path, and never more than that.
            raise SignerUnavailable(f"the signer does not answer: {error}") from error

    def _asked(self, line: _Line, question: Question) -> Answer:
        conversation = Conversation(line.read(NONCE_BYTES), self.secret)
        nonce, content = conversation.asked(question)
        line.write(framed(content))
        length = length_of(line.read(LENGTH_BYTES))
        return conversation.understood(nonce, line.read(length))

    def _connected(self) -> socket.socket:
        if isinstance(self.place, int):
            return socket.create_connection((LOOPBACK, self.place), timeout=self.timeout_seconds)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self.timeout_seconds)
        try:
            connection.connect(str(self.place))
        except OSError:
            connection.close()
            raise
        return connection


class RemoteSigner:
    """Has one key's transactions signed elsewhere; implements `ports.signer.Signer`."""

    def __init__(self, signer: SignerAddress, *, key: str, chain: str, address: str) -> None:
        """Take whose key it is; nobody is asked yet.

        Args:
            signer: Whom to ask.
            key: The key's name there.
            chain: The chain's name.
            address: The address whose key it has to be.
        """
        self.address: str = address
        self._signer: Final = signer
        self._key: Final = key
        self._chain: Final = chain

    def __repr__(self) -> str:
        return f"RemoteSigner({self.address})"

    def sign_transaction(self, unsigned: bytes) -> bytes:
        """Return the signed transaction; the same input, the same bytes.

        Raises:
            SigningRefused: the signer will not sign it.
            SignerUnavailable: it does not answer. Whether it has signed is unknown.
        """
        question = SignTransaction(self._key, self._chain, self.address, unsigned)
        return _raw(self._signer.ask(question))


class RemoteDepositSigner:
    """Has sweeps signed elsewhere; implements `ports.signer.DepositSigner`."""

    def __init__(self, signer: SignerAddress, *, key: str, chain: str) -> None:
        """Take the key's name there, and the chain's."""
        self._signer: Final = signer
        self._key: Final = key
        self._chain: Final = chain

    def __repr__(self) -> str:
        return f"RemoteDepositSigner({self._key})"

    def sign_sweep(self, unsigned: bytes, *, source: str, index: int) -> bytes:
        """Return the signed transaction; the same input, the same bytes.

        Raises:
            SigningRefused: the signer will not sign it.
            SignerUnavailable: it does not answer. Whether it has signed is unknown.
        """
        question = SignSweep(self._key, self._chain, source, index, unsigned)
        return _raw(self._signer.ask(question))


def _raw(answer: Answer) -> bytes:
    match answer:
        case Signed(raw=raw):
            return raw
        case Refused(why=why):
            raise SigningRefused(why)
        case _:
            raise SignerUnavailable(f"the signer cannot sign: {answer.why}")


@attrs.frozen
class _Line:
    """A connection that is given up at a moment, however slowly bytes come."""

    connection: socket.socket
    deadline: float

    def write(self, octets: bytes) -> None:
        self._hurry()
        self.connection.sendall(octets)

    def read(self, length: int) -> bytes:
        parts = b""
        while len(parts) < length:
            self._hurry()
            part = self.connection.recv(length - len(parts))
            if not part:
                raise EOFError("the connection ended")
            parts += part
        return parts

    def _hurry(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self.connection.settimeout(left)
