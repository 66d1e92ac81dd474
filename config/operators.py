"""Settings of operators: who may use the queue console, and by which token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.operators.model import Operator, Operators, OperatorScope

if TYPE_CHECKING:
    from collections.abc import Iterable


@attrs.frozen
class OperatorSetting:
    """One operator; ``switchyard operator token`` makes his token and this table."""

    name: str = attrs.field(validator=attrs.validators.matches_re(r"[A-Za-z0-9._@-]{1,64}"))
    token_sha256: str = attrs.field(
        repr=False, validator=attrs.validators.matches_re(r"[0-9a-f]{64}")
    )
    """The SHA-256 of the token, in hex. Whoever knows it does not know the token."""
    scopes: tuple[OperatorScope, ...] = (OperatorScope.READ,)


def check_operators(settings: Iterable[OperatorSetting]) -> None:
    """See to it that the log can say who has done something.

    Raises:
        ValueError: two operators share a name or a token.
    """
    listed = list(settings)
    for field in ("name", "token_sha256"):
        if len({getattr(each, field) for each in listed}) < len(listed):
            raise ValueError(f"operators: two have the same {field}")


def operators(settings: Iterable[OperatorSetting]) -> Operators:
    """Return the operators of the settings."""
    return Operators(
        tuple(
            Operator(each.name, bytes.fromhex(each.token_sha256), frozenset(each.scopes))
            for each in settings
        )
    )
