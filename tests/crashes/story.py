"""A story that can be interrupted: what happens outside, act by act, and how it must end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import attrs

from domain.merchants.model import Merchant
from tests.crashes.worker import Request
from tests.crashes.world import World


async def nothing() -> None:
    """Stand for what need not happen."""


@attrs.frozen(kw_only=True)
class Act:
    """Something happens outside, once; then requests are made of the worker, and it works."""

    happens: Callable[[], Awaitable[object]] = nothing
    requests: tuple[Request, ...] = ()


@attrs.frozen(kw_only=True)
class Story:
    """What happens to one merchant, and how it must end."""

    merchant: Merchant
    acts: Sequence[Act]
    ends_well: Callable[[], Awaitable[None]]


Begin: TypeAlias = Callable[[World], Awaitable[Story]]
