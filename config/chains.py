"""Settings of chains: how each is reached, and the gateway's addresses on it."""

from __future__ import annotations

import attrs

from config.checks import loopback_or_tls, positive


@attrs.frozen
class EvmChainSetting:
    """An EVM chain: its node, and the gateway's addresses on it."""

    id: str = attrs.field(validator=attrs.validators.matches_re(r"eip155:[0-9]{1,20}"))
    rpc_url: str = attrs.field(validator=loopback_or_tls)
    escrow_contract: str
    hot_wallet: str
    treasury: str
    first_block: int = attrs.field(validator=attrs.validators.ge(0))
    request_timeout_seconds: float = attrs.field(default=10.0, validator=positive)
    confirmations: int | None = None
    """Blocks on top for a block to be final; None trusts the node's ``finalized`` tag."""
    fee_cap_gwei: int = attrs.field(default=500, validator=positive)
