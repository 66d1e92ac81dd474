"""Settings of secrets at rest: the ring of keys that seal what lies in the database."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from adapters.postgres.key_ring import KeyRing, key_id
from adapters.system.secret_files import (
    KEY_BYTES,
    KeyFileRefused,
    create_secret,
    read_secret,
    replace_secret,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Settings

KEYS_MAX: Final = 16
IN_MEMORY: Final = "testing"
"""The deployment that has no database."""
_LINE_BYTES: Final = 2 * KEY_BYTES + 2

log = logging.getLogger(__name__)


@attrs.frozen
class Secrets:
    """How secrets lie in the database: webhooks' signing keys, and answers that hold some."""

    ring_file: Path | None = None
    """A file of mode 0600 with a key on each line, in 64 hexadecimal digits: the first one seals,
    all open. ``switchyard secrets new-key`` makes it. Without one, secrets lie in clear."""
    seal: bool = True
    """False has secrets written in clear, and those that are sealed opened all the same."""


def read_ring(file: Path) -> Sequence[bytes]:
    """Return the keys in a file, the one that seals first.

    Raises:
        KeyFileRefused: it is missing, open to others, or holds something else.
    """
    content = read_secret(file, bytes_max=KEYS_MAX * _LINE_BYTES + 1)
    try:
        keys = [bytes.fromhex(line) for line in content.decode("ascii").split()]
    except ValueError:
        # Not chained: the message of a decoding error quotes what could not be decoded.
        keys = []
    if not 0 < len(keys) <= KEYS_MAX or any(len(key) != KEY_BYTES for key in keys):
        raise KeyFileRefused(
            file, f"does not hold 1 to {KEYS_MAX} keys of {2 * KEY_BYTES} hexadecimal digits"
        )
    return keys


def key_ring(setting: Secrets) -> KeyRing:
    """Return the ring that the settings name, or one without keys.

    Raises:
        KeyFileRefused: the file is missing, open to others, or holds something else.
    """
    file = setting.ring_file
    if file is None:
        return KeyRing()

    def reread() -> Sequence[bytes]:
        try:
            return read_ring(file)
        except KeyFileRefused as error:
            log.warning("the ring of keys is not read again: %s %s", error.path, error.why)
            return ()

    return KeyRing(read_ring(file), seals=setting.seal, reread=reread)


def add_key(file: Path) -> str:
    """Make a key that seals from now on, at the front of a ring or in a new file; name it.

    Raises:
        KeyFileRefused: the file is open to others, holds something else, or is full.
    """
    fresh = secrets.token_bytes(KEY_BYTES)
    if not file.exists():
        create_secret(file, _written([fresh]))
        return key_id(fresh)
    keys = [fresh, *read_ring(file)]
    if len(keys) > KEYS_MAX:
        raise KeyFileRefused(file, f"holds {KEYS_MAX} keys already")
    replace_secret(file, _written(keys))
    return key_id(fresh)


def tell_of_clear(settings: Settings) -> None:
    """Warn where secrets lie in clear: it is not what a gateway in the world should be run with.

    It is no reason not to start. An upgrade would become an outage, for what was there before.
    """
    if settings.secrets.ring_file is None and settings.deployment != IN_MEMORY:
        log.warning(
            "secrets lie in the database in clear: settings.secrets.ring_file names no ring"
        )


def _written(keys: Sequence[bytes]) -> bytes:
    return "".join(f"{key.hex()}\n" for key in keys).encode("ascii")
