"""What a worker and a signer say to each other: one question, one answer, one connection each.

1. The signer greets with 16 random bytes.
2. The worker sends a frame: 16 random bytes of its own, a seal, and a question.
3. The signer sends a frame: a seal, and the answer.

A frame is its length (4 bytes, big-endian) and as many bytes. Questions and answers are JSON,
bytes in it Base64. Where both have a secret, a seal is HMAC-SHA-256 by it over who speaks, both
random values and what is said, so that neither can be repeated or answered by somebody else. On a
Unix socket, where the system says who is there, the seal is empty.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final, TypeAlias

import attrs
import msgspec

NONCE_BYTES: Final = 16
SEAL_BYTES: Final = 32
LENGTH_BYTES: Final = 4
FRAME_BYTES_MAX: Final = 512 * 1024
"""A batch of 250 transfers on TON takes some 60 kB."""

_QUESTION, _ANSWER = b"question", b"answer"


class Misheard(Exception):
    """What came is no frame, is not sealed as it has to be, or is nothing that can be said."""


class SignTransaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="transaction"):
    """Sign a wallet's transaction."""

    key: str
    chain: str
    sender: str
    unsigned: bytes


class SignSweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sweep"):
    """Sign a deposit address's transaction."""

    key: str
    chain: str
    sender: str
    index: int
    unsigned: bytes


class Signed(msgspec.Struct, frozen=True, tag="signed"):
    """It is signed."""

    raw: bytes


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It is not signed, and never will be as things stand."""

    why: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The signer has a trouble of its own: ask again."""

    why: str


Question: TypeAlias = SignTransaction | SignSweep
Answer: TypeAlias = Signed | Refused | Failed

_questions: msgspec.json.Decoder[Question] = msgspec.json.Decoder(Question)
_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


@attrs.frozen
class Conversation:
    """One question and its answer: what both sides have drawn, and the secret, if there is one."""

    greeting: bytes
    secret: bytes | None = attrs.field(repr=False)

    @classmethod
    def begin(cls, secret: bytes | None) -> Conversation:
        """Greet."""
        return cls(secrets.token_bytes(NONCE_BYTES), secret)

    def asked(self, question: Question) -> tuple[bytes, bytes]:
        """Return the worker's random bytes, and its frame's content."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        said = msgspec.json.encode(question)
        return nonce, nonce + self._seal(_QUESTION, nonce, said) + said

    def heard(self, content: bytes) -> tuple[bytes, Question]:
        """Return the worker's random bytes, and what it asks.

        Raises:
            Misheard: it is not sealed with the secret, or no question.
        """
        nonce = content[:NONCE_BYTES]
        if len(nonce) != NONCE_BYTES:
            raise Misheard("too short")
        said = self._opened(_QUESTION, nonce, content[NONCE_BYTES:])
        try:
            return nonce, _questions.decode(said)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Misheard("no question") from error

    def answered(self, nonce: bytes, answer: Answer) -> bytes:
        """Return the content of the signer's frame."""
        said = msgspec.json.encode(answer)
        return self._seal(_ANSWER, nonce, said) + said

    def understood(self, nonce: bytes, content: bytes) -> Answer:
        """Return what the signer has answered.

        Raises:
            Misheard: it is not sealed with the secret, or no answer.
        """
        said = self._opened(_ANSWER, nonce, content)
        try:
            return _answers.decode(said)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Misheard("no answer") from error

    def _seal(self, speaker: bytes, nonce: bytes, said: bytes) -> bytes:
        if self.secret is None:
            return b""
        return hmac.digest(self.secret, speaker + self.greeting + nonce + said, "sha256")

    def _opened(self, speaker: bytes, nonce: bytes, content: bytes) -> bytes:
        at = 0 if self.secret is None else SEAL_BYTES
        seal, said = content[:at], content[at:]
        if not hmac.compare_digest(seal, self._seal(speaker, nonce, said)):
            raise Misheard("not sealed with the secret")
        return said


def framed(content: bytes) -> bytes:
    """Return a frame."""
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def length_of(head: bytes) -> int:
    """Return how long a frame's content is.

    Raises:
        Misheard: it is longer than anything that is said.
    """
    length = int.from_bytes(head, "big")
    if not 0 < length <= FRAME_BYTES_MAX:
        raise Misheard(f"a frame of {length} bytes")
    return length
