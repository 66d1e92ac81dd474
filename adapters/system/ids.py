"""Identifiers from the time and the system's randomness: UUIDv7 (RFC 9562) in base 32."""

from __future__ import annotations

import secrets
import threading
import time

from domain.shared.ids import PREFIXES

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no i, l, o, u; sorts as the number does."""

_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
"""What ten bits are as two digits."""

_SHIFTS = tuple(range(120, -1, -10))
"""Where the ten bits of each pair begin: 26 digits hold 128 bits."""

_TAIL_BITS = 74
"""What of a UUIDv7 is neither time nor fixed: 12 bits ``rand_a`` and 62 bits ``rand_b``."""

_STEP_BITS = 32
"""Identifiers of one millisecond are a random step apart, so that none can be guessed."""


class RandomIds:
    """Draws identifiers that nobody has drawn before; later ones sort after earlier ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = 0
        self._tail = 0

    def new(self, kind: str) -> str:
        """Return a new identifier of a kind named in ``domain.shared.ids.PREFIXES``."""
        return f"{PREFIXES[kind]}_{_base32(self._uuid7())}"

    def entropy(self, size: int) -> bytes:
        """Return that many unpredictable bytes."""
        return secrets.token_bytes(size)

    def _uuid7(self) -> int:
        """Return a UUIDv7 above all that this object has returned, as a number.

        Within a millisecond, and while the clock goes back, the random part counts on from the
        last one (RFC 9562, 6.2, method 2); where it overflows, the time is taken one later.
        """
        now = time.time_ns() // 1_000_000
        with self._lock:
            if now > self._millisecond:
                self._millisecond, self._tail = now, secrets.randbits(_TAIL_BITS)
            else:
                self._tail += 1 + secrets.randbits(_STEP_BITS)
                if self._tail >> _TAIL_BITS:
                    self._millisecond += 1
                    self._tail = secrets.randbits(_TAIL_BITS)
            millisecond, tail = self._millisecond, self._tail
        high, low = tail >> 62, tail & (2**62 - 1)
        return millisecond << 80 | 0b0111 << 76 | high << 64 | 0b10 << 62 | low


def _base32(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
