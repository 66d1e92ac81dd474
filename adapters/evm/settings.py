"""What a deployment says about one EVM chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs
from attrs.validators import deep_iterable, ge, gt, in_, instance_of, le, matches_re, optional

from adapters.evm.names import chain_name, native_asset, token_of
from domain.shared.money import Asset, AssetId

if TYPE_CHECKING:
    from domain.shared.money import ChainId

GasModel: TypeAlias = Literal["eip1559", "legacy"]

MAX_SCAN_BLOCKS = 2_000
"""More headers than this in memory at once help nobody."""


def _http(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    """Check a URL without ever repeating it: it may hold a provider's key."""
    if not value.startswith(("http://", "https://")) or not value.isprintable() or " " in value:
        raise ValueError(f"{attribute.name} must be an HTTP address")


@attrs.frozen(kw_only=True)
class FeeLimits:
    """What the gateway is ready to pay for its own transactions."""

    max_fee_per_gas_wei: int = attrs.field(default=500 * 10**9, validator=gt(0))
    """Where the network asks for more, sending waits."""
    min_tip_wei: int = attrs.field(default=10**9, validator=ge(0))
    """Offered where recent blocks were empty and show no tip at all."""
    max_tip_wei: int = attrs.field(default=50 * 10**9, validator=gt(0))
    gas_margin_percent: int = attrs.field(default=25, validator=[ge(0), le(400)])
    """Added to what a trial run has used: state moves between the trial and the block."""
    price_step_wei: int = attrs.field(default=1, validator=gt(0))
    """Prices are multiples of it: where the native coin has fewer decimals than wei."""
    stuck_after_blocks: int = attrs.field(default=25, validator=gt(0))
    """What is in no block by then, and offers less than is asked now, is replaced."""
    replacements_max: int = attrs.field(default=5, validator=ge(0))
    """How often, each time for at least an eighth more, and never over the limits above."""


@attrs.frozen(kw_only=True)
class EvmChain:
    """One chain: its node, its assets, the escrow contract on it, and how it is read."""

    chain_id: int = attrs.field(validator=gt(0))
    """The EIP-155 chain id."""
    rpc_url: str = attrs.field(repr=False, validator=_http)
    """A node's HTTP address. Providers put their keys in it, so it is never shown."""
    more_rpc_urls: tuple[str, ...] = attrs.field(
        default=(), repr=False, validator=deep_iterable(_http)
    )
    """Further nodes' addresses, of other providers if possible: asked where the first fails."""
    quorum: int = attrs.field(default=1, validator=ge(1))
    """How many providers must name the same final block before anything in it counts as final."""
    lag_blocks: int = attrs.field(default=10, validator=ge(0))
    """A provider that is further behind the best one is not asked until it has caught up."""
    tokens: tuple[Asset, ...] = attrs.field(validator=deep_iterable(instance_of(Asset)))
    """The allow-list: transfers of any other token do not exist for the gateway."""
    escrow: str = attrs.field(validator=matches_re(r"0x[0-9a-f]{40}"))
    """The escrow contract's address, lower case."""
    collector: str | None = attrs.field(
        default=None, validator=optional(matches_re(r"0x[0-9a-f]{40}"))
    )
    """The collector contract's address, lower case, where deposit addresses are swept by it; the
    chain has EIP-7702 then."""
    collects_to: str | None = attrs.field(
        default=None, validator=optional(matches_re(r"0x[0-9a-f]{40}"))
    )
    """Where that contract has to send all it moves: the hot wallet, lower case."""
    first_block: int = attrs.field(default=0, validator=ge(0))
    """The first block ever read; the escrow contract's, or a later one."""
    native_symbol: str = "ETH"
    native_decimals: int = attrs.field(default=18, validator=in_(range(37)))
    confirmations: int | None = attrs.field(default=None)
    """Blocks on top of a block that make it final; None goes by the node's own tags."""
    age_seconds: int = attrs.field(default=0, validator=ge(0))
    """How much later the newest block has to be, by the chain's own time; more than 0 does not
    go by tags either."""
    fees: FeeLimits = attrs.field(factory=FeeLimits)
    request_timeout_seconds: float = attrs.field(default=10.0, validator=gt(0))
    scan_blocks: int = attrs.field(default=500, validator=[ge(1), le(MAX_SCAN_BLOCKS)])
    """Most blocks of one scan."""
    batch_calls: int = attrs.field(default=100, validator=[ge(1), le(1_000)])
    """Most calls of one JSON-RPC batch."""
    shows_coins: bool = False
    """True where native coins are watched for: then whole blocks are read, not their headers."""
    gas_model: GasModel | None = attrs.field(
        default=None, validator=optional(in_(("eip1559", "legacy")))
    )
    """How gas is paid for: by a base fee and a tip, or by one price; None goes by the node."""
    data_fee_oracle: str | None = attrs.field(
        default=None, validator=optional(matches_re(r"0x[0-9a-f]{40}"))
    )
    """On rollups of the OP stack, who tells what layer 1 costs: ``0x4200…000f``, lower case."""
    transfer_gas: int = attrs.field(default=21_000, validator=gt(0))
    token_transfer_gas: int = attrs.field(default=65_000, validator=gt(0))
    """What is expected of transfers where they are not tried out; gas differs between chains."""
    decimals_unread: frozenset[AssetId] = frozenset()
    """Tokens without ``decimals()``, as the asset precompiles of Polkadot Hub."""

    def __attrs_post_init__(self) -> None:
        if self.confirmations is not None and self.confirmations < 0:
            raise ValueError("confirmations cannot be negative")
        if (self.collector is None) != (self.collects_to is None):
            raise ValueError("a collector needs the address that it sends to")
        if self.quorum > len(self.rpc_urls):
            raise ValueError("a quorum needs as many providers")
        for token in self.tokens:
            token_of(token.id, chain=self.chain)

    @property
    def rpc_urls(self) -> tuple[str, ...]:
        """All nodes' addresses, the preferred one first."""
        return (self.rpc_url, *self.more_rpc_urls)

    @property
    def chain(self) -> ChainId:
        """The CAIP-2 name, such as ``eip155:56``."""
        return chain_name(self.chain_id)

    @property
    def native(self) -> AssetId:
        """The native coin's id."""
        return native_asset(self.chain)

    @property
    def native_coin(self) -> Asset:
        """What is known of the native coin."""
        return Asset(self.native, self.native_symbol, self.native_decimals)

    def token_addresses(self) -> dict[str, Asset]:
        """Return the allow-list by contract address, lower case."""
        return {token_of(token.id, chain=self.chain): token for token in self.tokens}
