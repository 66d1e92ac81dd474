"""Operators: the people, or their programs, who run the gateway, and what each may do.

They are not merchants, and nothing of theirs is stored: the settings name them, with the SHA-256
of a token each. Their scopes are words of their own, so no key of a merchant's can hold one.
"""

from __future__ import annotations

import enum
import hashlib
import hmac

import attrs

TOKEN_PREFIX = "sy_oper_"  # noqa: S105 (how tokens begin, not one)


class OperatorScope(enum.StrEnum):
    """What an operator may do."""

    READ = "ops:read"
    """Look at queues and jobs."""
    WRITE = "ops:write"
    """Pause, resume, retry, clean."""


@attrs.frozen
class Operator:
    """One operator."""

    name: str
    digest: bytes = attrs.field(repr=False)
    scopes: frozenset[OperatorScope]


@attrs.frozen
class Operators:
    """All operators there are."""

    known: tuple[Operator, ...] = ()

    def recognise(self, token: str) -> Operator | None:
        """Return whose token this is; None for nobody's.

        All are compared, each in a time that tells nothing. A fast hash is right: tokens are
        random, so there is nothing to guess.
        """
        digest = hashlib.sha256(token.encode()).digest()
        found = [each for each in self.known if hmac.compare_digest(each.digest, digest)]
        return found[0] if found else None
