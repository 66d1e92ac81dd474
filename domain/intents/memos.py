"""Memos: short texts that tell payments to one shared address apart.

A payer copies or types one into a wallet, and wallets, exchanges and people change capitals and
add spaces. So a memo is of Crockford's base 32: digits and capitals without I, L, O and U, which
reads the same in either case, and in which what is easily taken for another symbol is read as
that one (https://www.crockford.com/base32.html).
"""

from __future__ import annotations

import re

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SYMBOLS = 12
"""60 bits: nobody comes upon another's by chance or by trying, and it is still typed by hand."""

ENTROPY_BYTES = 8
"""How many unpredictable bytes a memo is drawn from."""

_LOOK_ALIKES = str.maketrans("OIL", "011")
_BETWEEN = re.compile(r"[\s-]+")
_MEMO = re.compile(rf"[{_ALPHABET}]{{{_SYMBOLS}}}")


def drawn_from(entropy: bytes) -> str:
    """Return the memo that ``ENTROPY_BYTES`` unpredictable bytes give."""
    number = int.from_bytes(entropy)
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_SYMBOLS)))


def read(text: str | None) -> str | None:
    """Return the memo that a payer meant by a text, or None where it can be none of ours."""
    if text is None:
        return None
    memo = _BETWEEN.sub("", text).upper().translate(_LOOK_ALIKES)
    return memo if _MEMO.fullmatch(memo) else None
