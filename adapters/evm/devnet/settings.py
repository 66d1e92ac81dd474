"""What a devnet node is told when it starts."""

from __future__ import annotations

from pathlib import Path

import attrs
from attrs.validators import ge, gt, in_, min_len

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""Host names a browser may use for a node on its own machine."""


@attrs.frozen(kw_only=True)
class DevnetSettings:
    """Options of one node.

    Attributes:
        database: SQLite file that keeps the chain, or None for a chain that ends with the process.
        host: Address to bind. Anything but loopback lets the network spend the public keys.
        port: TCP port; 0 takes a free one.
        chain_id: EIP-155 chain id. A database remembers the one it was made with.
        block_seconds: Seconds between blocks without a transaction; 0 turns them off.
        safe_depth: Blocks between the head and the ``safe`` tag.
        finalized_depth: Blocks between the head and the ``finalized`` tag.
        allowed_hosts: Host headers answered. A page that rebinds its name to 127.0.0.1 sends its
            own name and is refused.
    """

    database: Path | None = None
    host: str = "127.0.0.1"
    port: int = attrs.field(default=8545, validator=in_(range(65_536)))
    chain_id: int = attrs.field(default=31_337, validator=gt(0))
    block_seconds: float = attrs.field(default=1.0, validator=ge(0))
    safe_depth: int = attrs.field(default=1, validator=ge(0))
    finalized_depth: int = attrs.field(default=2, validator=ge(0))
    allowed_hosts: tuple[str, ...] = attrs.field(default=LOOPBACK_HOSTS, validator=min_len(1))
