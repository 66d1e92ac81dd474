"""What a node's refusal asks for: less at a time, patience, another node, or nothing at all.

Providers share neither codes nor words; these are those of geth, Nethermind, Erigon, Reth, anvil
and of the large providers' pages on limits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adapters.evm.rpc import METHOD_NOT_FOUND, RpcRefused, Throttled, TooMuchAsked

if TYPE_CHECKING:
    from ports.chain import ChainUnavailable

LIMIT_EXCEEDED: Final = -32005
METHOD_NOT_SUPPORTED: Final = -32004
"""EIP-1474, error codes."""

_ASKS_FOR_LESS = re.compile(
    r"range|limit|too (?:many|large|big|wide)|more than|exceed|response size|time(?:d )?out",
    re.IGNORECASE,
)
"""How it is worded when a range or its answer is too large."""

_ASKS_FOR_PATIENCE = re.compile(r"\brate\b|per second|requests", re.IGNORECASE)
"""Rate limits share words and codes with the above; a shorter range would not help."""

_LACKS_METHOD = re.compile(
    r"method \S* ?(?:is |does )?(?:not|disabled|unsupported|unavailable)"
    r"|(?:unsupported|unknown|disabled) method",
    re.IGNORECASE,
)


def asks_for_patience(complaint: ChainUnavailable) -> bool:
    """Tell whether the node is asked too often."""
    if isinstance(complaint, Throttled):
        return True
    return isinstance(complaint, RpcRefused) and bool(_ASKS_FOR_PATIENCE.search(complaint.message))


def asks_for_less(complaint: ChainUnavailable) -> bool:
    """Tell whether a shorter range may be answered."""
    if isinstance(complaint, RpcRefused):
        if asks_for_patience(complaint):
            return False
        return complaint.code == LIMIT_EXCEEDED or bool(_ASKS_FOR_LESS.search(complaint.message))
    return isinstance(complaint, TooMuchAsked)


def lacks_method(complaint: ChainUnavailable) -> bool:
    """Tell whether the node does not serve what it was asked for, whoever asks."""
    return isinstance(complaint, RpcRefused) and (
        complaint.code in (METHOD_NOT_FOUND, METHOD_NOT_SUPPORTED)
        or bool(_LACKS_METHOD.search(complaint.message))
    )
