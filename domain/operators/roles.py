"""Roles of people on the platform's own side: they stand for the same scopes as tokens."""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from domain.operators.model import OperatorScope

if TYPE_CHECKING:
    from collections.abc import Mapping


class PlatformRole(enum.StrEnum):
    """What a person is among those who run the gateway."""

    ADMIN = "admin"
    """May do everything an operator can."""
    SUPPORT = "support"
    """Looks at queues and jobs, to help merchants."""
    AUDITOR = "auditor"
    """Looks, and changes nothing, ever."""


PLATFORM_PERMISSIONS: Final[Mapping[PlatformRole, frozenset[OperatorScope]]] = MappingProxyType(
    {
        PlatformRole.ADMIN: frozenset(OperatorScope),
        PlatformRole.SUPPORT: frozenset({OperatorScope.READ}),
        PlatformRole.AUDITOR: frozenset({OperatorScope.READ}),
    }
)
"""The scopes that each role stands for."""
