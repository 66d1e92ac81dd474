"""Settings of chains: how each is reached, and the gateway's addresses on it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeAlias

import attrs

from config.checks import loopback_or_tls, positive
from config.finality import AGE_SECONDS_MAX, LargeAmount
from config.modes import mode_of, mode_validator
from domain.shared.modes import Mode

SWEEP_BY: Final = ("funding", "delegation")


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
    age_seconds: int = attrs.field(
        default=0, validator=[attrs.validators.ge(0), attrs.validators.le(AGE_SECONDS_MAX)]
    )
    """How much later than a final block the newest is, by the chain's own time, in place of the
    tag; with ``confirmations``, both."""
    large_amounts: tuple[LargeAmount, ...] = ()
    """What large amounts need besides to be final for us."""
    fee_cap_gwei: int = attrs.field(default=500, validator=positive)
    min_tip_wei: int = attrs.field(default=10**9, validator=attrs.validators.ge(0))
    """The least tip that is offered; rollups are content with much less."""
    stuck_after_blocks: int = attrs.field(default=25, validator=positive)
    """When a transaction that is in no block, and offers too little by now, is replaced."""
    replacements_max: int = attrs.field(default=5, validator=attrs.validators.ge(0))
    """How often, each time for an eighth more, and never for more than the cap."""
    more_rpc_urls: tuple[str, ...] = attrs.field(
        default=(), repr=False, validator=attrs.validators.deep_iterable(loopback_or_tls)
    )
    """Further nodes, of other providers if possible, asked where ``rpc_url`` fails or lags."""
    quorum: int = attrs.field(default=1, validator=positive)
    """How many of all these must name the same final block before money in it is final."""
    coins: bool = False
    """True where payments in the native coin are taken; every block's body is read then."""
    sweep_by: str = attrs.field(default="funding", validator=attrs.validators.in_(SWEEP_BY))
    """How tokens come from deposit addresses to the hot wallet: ``funding`` gives each address
    the coin for a transaction of its own; ``delegation``, where the chain has EIP-7702, has many
    delegate to the collector and moves all by one transaction of the hot wallet's."""
    collector_contract: str | None = None
    """The collector, ``switchyard chain deploy-collector``; needed by ``delegation``."""
    mode: str | None = attrs.field(default=None, validator=mode_validator)
    """Which accounts are paid here, ``test`` or ``live``; left out, what is known of the chain."""

    devnet: bool = False
    """True for a node of one's own whose unlocked accounts pay what test accounts order, and whose
    blocks are replaced for them: ``/v1/test_helpers``. Never for a network of others."""

    def __attrs_post_init__(self) -> None:
        _check_devnet(self)
        if self.quorum > self.providers:
            raise ValueError(f"quorum of {self.id} is more than there are nodes")
        if (self.sweep_by == "delegation") != (self.collector_contract is not None):
            raise ValueError(
                f"collector_contract of {self.id} is needed by delegation, and by it alone"
            )
        if self.coins and self.sweep_by == "delegation":
            # Coins that are sent with 21,000 gas and no more, as exchanges do, are refused by
            # addresses that have delegated.
            raise ValueError(f"{self.id} takes coins, and cannot sweep by delegation")

    @property
    def providers(self) -> int:
        """How many can be asked what a block's name is."""
        return 1 + len(self.more_rpc_urls)


MESSAGE_SECONDS_MAX: Final = (1 << 22) - 1
"""What a highload wallet has bits for."""

JETTON_LIMITS: Final = ("tether", "devnet")
"""Whose wallets' appetite for gas is known: Tether's and, of the demo's jetton, ours."""


@attrs.frozen(kw_only=True)
class TonChainSetting:
    """TON: its liteservers, and the gateway's wallets there. Only the worker names key files."""

    id: str = attrs.field(validator=attrs.validators.matches_re(r"ton:-(239|3)"))
    """``ton:-239`` is the main network, ``ton:-3`` the test network."""
    network_config_file: Path
    """The network's global configuration as it is published; who runs liteservers of his own
    names these alone."""
    hot_wallet: str
    """The highload wallet that is paid with memos, and pays out."""
    hot_wallet_file: Path | None = None
    hot_wallet_key: str | None = None
    """The key's name, in the keystore or with the signer, in place of a file."""
    hot_wallet_public_key: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.matches_re(r"[0-9a-fA-F]{64}")),
    )
    """From which the wallet follows; needed where the signer is a process of its own."""
    deposit_public_key: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.matches_re(r"[0-9a-fA-F]{64}")),
    )
    """From which deposit wallets follow. Without it payers are told apart by memos alone."""
    deposit_key_file: Path | None = None
    """The key of it. Without it money stays in deposit wallets."""
    deposit_key: str | None = None
    """The key's name, in place of a file."""
    first_block: int = attrs.field(validator=attrs.validators.ge(1))
    """The number of the first masterchain block worth reading."""
    mode: str | None = attrs.field(default=None, validator=mode_validator)
    """Which accounts are paid here, ``test`` or ``live``; left out, what is known of the chain."""
    request_timeout_seconds: int = attrs.field(default=10, validator=positive)
    message_seconds: int = attrs.field(
        default=3_600,
        validator=[attrs.validators.ge(60), attrs.validators.le(MESSAGE_SECONDS_MAX)],
    )
    """How long a message of ours may come into a block. The hot wallet's address depends on it."""
    stale_seconds: int = attrs.field(default=60, validator=positive)
    """Liteservers whose newest masterchain block is older than that are connected anew."""
    toncenter_url: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(loopback_or_tls)
    )
    """A second source, ``https://toncenter.com/api/v2``: it has to name the same blocks, and takes
    our messages too."""
    toncenter_key_file: Path | None = None
    """A file of mode 0600 with the key for it, for who has one."""
    toncenter_required: bool = False
    """Whether nothing is read while it does not answer. Nothing is while it disagrees."""
    jetton_limits: str = attrs.field(
        default="tether", validator=attrs.validators.in_(JETTON_LIMITS)
    )
    large_amounts: tuple[LargeAmount, ...] = ()
    """What large amounts need besides to be final for us."""
    devnet: bool = False
    """True for ``switchyard ton-devnet``: test accounts order payments there."""

    def __attrs_post_init__(self) -> None:
        _check_devnet(self)

    @property
    def providers(self) -> int:
        """How many can be asked what a block's name is: all liteservers are one."""
        return 1 if self.toncenter_url is None else 2

    @property
    def named(self) -> tuple[tuple[str, Path | None, str | None], ...]:
        """Both keys, and how they are named: see ``config.keys.NamedKey``."""
        return (
            (f"hot_wallet of {self.id}", self.hot_wallet_file, self.hot_wallet_key),
            (f"deposit_key of {self.id}", self.deposit_key_file, self.deposit_key),
        )


ChainSetting: TypeAlias = EvmChainSetting | TonChainSetting


def _check_devnet(chain: ChainSetting) -> None:
    if chain.devnet and mode_of(chain) is not Mode.TEST:
        raise ValueError(f"{chain.id} is of live money, and so no devnet")
