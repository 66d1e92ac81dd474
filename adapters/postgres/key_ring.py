"""Secrets at rest: sealed as they are written into a row, and opened as they are read.

    sealed:1:<key id>:<nonce and ciphertext>

The last part is base64 (RFC 4648, 4) where the column holds text, and octets where it holds bytes.
It is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, by libsodium): its nonces of 192 bits may be
random however many values one key has sealed. Table, column and row are authenticated with it, so
that what is sealed opens where it was written and nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Final

import attrs
from nacl.exceptions import CryptoError
from nacl.secret import Aead

MARK: Final = "sealed:"
"""How every value begins that is sealed, and none that is in clear."""
HEAD_MAX: Final = 64
"""How many characters are looked at to tell by which key a value was sealed."""

TOLD_MAX: Final = 1000
"""How many secrets that do not open are told of in the log, each once in a process."""
REREAD_SECONDS: Final = 1.0
"""How long a ring is not read again after it was, whatever does not open."""

_FORM: Final = "1"
_MARK_BYTES: Final = MARK.encode()
_ID_BYTES: Final = 4
_PERSON: Final = b"switchyard-ring1"
"""Sets names of keys apart from all other hashes of them (RFC 7693, 2.8)."""

log = logging.getLogger(__name__)


@attrs.frozen
class Place:
    """Where a secret lies: of what the database names alone."""

    table: str
    column: str
    id: str
    """The row's."""

    def __str__(self) -> str:
        return f"{self.table}.{self.column} of {self.id}"


@attrs.frozen
class SecretUnreadable(Exception):
    """A secret in the database cannot be opened. What it is, is never told."""

    place: str
    key_id: str
    """Of the key that the value says it was sealed by."""
    why: str

    def __str__(self) -> str:
        return f"{self.place}, sealed by the key {self.key_id}: {self.why}"


def key_id(key: bytes) -> str:
    """Return the name of a key, which follows from it: eight hexadecimal digits."""
    return hashlib.blake2b(key, digest_size=_ID_BYTES, person=_PERSON).hexdigest()


def sealed_by(head: str | bytes | None) -> str | None:
    """Return by which key a value was sealed, as its beginning says; None for one in clear."""
    text = head.decode("ascii", "replace") if isinstance(head, bytes) else head or ""
    if not text.startswith(MARK):
        return None
    return [*text[:HEAD_MAX].split(":", 3), ""][2]


@attrs.define(eq=False, repr=False)
class KeyRing:
    """Keys of 32 bytes: the first seals, all open. A ring without keys leaves all in clear.

    What lies in clear is read as it is, so that a ring can be given to a gateway that had none.
    """

    keys: Sequence[bytes] = ()
    seals: bool = True
    """False has values written in clear, and those that are sealed opened all the same."""
    reread: Callable[[], Sequence[bytes]] | None = None
    """Returns the keys as they are now. It is asked where a value names a key that is not here:
    a key that another process seals with already is learnt by that, and nothing is started anew.
    """
    _boxes: dict[str, Aead] = attrs.field(init=False)
    _reread_at: float = attrs.field(default=-math.inf, init=False)
    _told: set[str] = attrs.field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self._boxes = _boxes(self.keys)

    @property
    def sealing(self) -> str | None:
        """The name of the key that seals; None where nothing is sealed."""
        first = self._first()
        return None if first is None else first[0]

    @property
    def ids(self) -> Sequence[str]:
        """The names of the keys, the one that seals first."""
        return [*self._boxes]

    def seal(self, secret: bytes, place: Place) -> bytes:
        """Return a secret as a column of bytes holds it."""
        first = self._first()
        if first is None:
            return secret
        key, box = first
        head = _head(key).encode()
        return head + box.encrypt(secret, _bound(head, place))

    def seal_text(self, secret: str, place: Place) -> str:
        """Return a secret as a column of text holds it; one that is sealed stays as it is.

        So what could not be opened is written back as it was read.
        """
        first = self._first()
        if first is None or secret.startswith(MARK):
            return secret
        key, box = first
        head = _head(key)
        sealed = box.encrypt(secret.encode(), _bound(head.encode(), place))
        return head + base64.b64encode(sealed).decode()

    def open(self, value: bytes, place: Place) -> bytes:
        """Return the secret that a column of bytes holds.

        Raises:
            SecretUnreadable: it was sealed elsewhere, or changed, or by a key that is not here.
        """
        if not value.startswith(_MARK_BYTES):
            return value
        length = _head_length(value)
        return self._open(value[:length], value[length:], place)

    def open_text(self, value: str, place: Place) -> str:
        """Return the secret that a column of text holds.

        Raises:
            SecretUnreadable: as for `open`.
        """
        if not value.startswith(MARK):
            return value
        head, _, sealed = value.rpartition(":")
        try:
            octets = base64.b64decode(sealed, validate=True)
        except ValueError:
            octets = b""
        return self._open(f"{head}:".encode(), octets, place).decode()

    def opened_text(self, value: str, place: Place) -> str:
        """Return the secret that a column of text holds; one that does not open stays sealed.

        That is told in the log, once.
        """
        try:
            return self.open_text(value, place)
        except SecretUnreadable as error:
            told = str(error)
            if told not in self._told and len(self._told) < TOLD_MAX:
                self._told.add(told)
                log.error("a secret does not open: %s", told)  # noqa: TRY400 (there is no more to say)
            return value

    def _first(self) -> tuple[str, Aead] | None:
        # Looked up once: another thread may read the ring again at any moment.
        return next(iter(self._boxes.items()), None) if self.seals else None

    def _open(self, head: bytes, sealed: bytes, place: Place) -> bytes:
        key = sealed_by(head) or ""
        if head != _head(key).encode():
            raise SecretUnreadable(str(place), key, "it is of a form that is not known here")
        box = self._boxes.get(key) or self._learnt(key)
        if box is None:
            raise SecretUnreadable(str(place), key, "the key is not on the ring")
        try:
            return box.decrypt(sealed, _bound(head, place))
        except (CryptoError, ValueError):
            # What is shorter than a tag is a ValueError of the binding's own. Not chained: it says
            # no more, and this way nothing of the inside can be in it.
            raise SecretUnreadable(
                str(place), key, "it was changed, or sealed for another place"
            ) from None

    def _learnt(self, key: str) -> Aead | None:
        if self.reread is not None and time.monotonic() - self._reread_at >= REREAD_SECONDS:
            self._reread_at = time.monotonic()
            self._boxes = _boxes(self.reread()) or self._boxes
        return self._boxes.get(key)


def _boxes(keys: Sequence[bytes]) -> dict[str, Aead]:
    return {key_id(key): Aead(key) for key in keys}


def _head(key: str) -> str:
    return f"{MARK}{_FORM}:{key}:"


def _head_length(value: bytes) -> int:
    """Return where the octets begin: behind the third colon."""
    return sum(len(part) + 1 for part in value[:HEAD_MAX].split(b":", 3)[:3])


def _bound(head: bytes, place: Place) -> bytes:
    """Write what is authenticated so that no two places are written in one way.

    No text that PostgreSQL stores has a NUL.
    """
    return b"\0".join((head, place.table.encode(), place.column.encode(), place.id.encode()))
