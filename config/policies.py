"""Settings of the signer's keys: what each may sign, and where it is if not in the keystore."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs

from domain.shared.money import ChainId, asset_id, chain_of
from domain.signing.model import Act, Limit, Policy

ACTS: Final = tuple(str(act) for act in Act)


@attrs.frozen(kw_only=True)
class LimitSetting:
    """How much of an asset may be moved, in its smallest unit."""

    asset: str
    per_transaction: int | None = None
    per_day: int | None = None


@attrs.frozen(kw_only=True)
class TokenSetting:
    """A key that is in a token (PKCS#11), and never in this process."""

    library: Path
    """The vendor's, as ``/usr/lib/softhsm/libsofthsm2.so``."""
    token: str
    """The token's label."""
    key: str
    """The key's label there."""
    pin_file: Path


@attrs.frozen(kw_only=True)
class JettonWalletSetting:
    """A jetton wallet of the hot wallet's, and what it holds."""

    address: str
    asset: str


@attrs.frozen(kw_only=True)
class SigningKeySetting:
    """A key of the keystore or of a token, on a chain, and what it may sign there."""

    id: str
    """The key's name in the keystore; of one in a token, what workers call it."""
    token: TokenSetting | None = None
    chain: str
    acts: tuple[str, ...] = attrs.field(
        validator=attrs.validators.deep_iterable(attrs.validators.in_(ACTS))
    )
    limits: tuple[LimitSetting, ...] = attrs.field(validator=attrs.validators.min_len(1))
    """The assets that may be moved; no other is."""
    hot_wallet: str
    """The wallet's own address and, of the key of deposit addresses, where sweeps go."""
    fee_max: int = attrs.field(validator=attrs.validators.gt(0))
    fees_per_day: int | None = None
    gas_max: int = 0
    escrow_contract: str | None = None
    collector_contract: str | None = None
    """The only contract that deposit addresses delegate to, and the hot wallet sweeps by."""
    destinations: tuple[str, ...] | None = None
    """Who may be paid; without it, anybody."""
    message_seconds: int = attrs.field(default=3_600, validator=attrs.validators.gt(0))
    """Of TON's hot wallet: its timeout, on which its address depends."""
    jetton_wallets: tuple[JettonWalletSetting, ...] = ()
    """Of TON's hot wallet: the jetton wallets that it has."""

    def __attrs_post_init__(self) -> None:
        names = [asset_id(limit.asset) for limit in self.limits]
        if len({*names}) != len(names):
            raise ValueError(f"two limits of {self.id} have one asset")
        if any(chain_of(name) != self.chain for name in names):
            raise ValueError(f"a limit of {self.id} is of another chain than {self.chain}")
        if {Act.RELEASE, Act.REFUND} & set(self.acts) and self.escrow_contract is None:
            raise ValueError(f"escrow_contract is needed by {self.id}, which signs for it")
        if {Act.DELEGATE, Act.COLLECT} & set(self.acts) and self.collector_contract is None:
            raise ValueError(f"collector_contract is needed by {self.id}, which signs for it")

    @property
    def policy(self) -> Policy:
        """The same as the signer holds orders against."""
        limits = {
            asset_id(limit.asset): Limit(
                asset=asset_id(limit.asset),
                per_transaction=limit.per_transaction,
                per_day=limit.per_day,
            )
            for limit in self.limits
        }
        listed = self.destinations
        return Policy(
            chain=ChainId(self.chain),
            acts=frozenset(Act(act) for act in self.acts),
            limits=limits,
            fee_max=self.fee_max,
            fees_per_day=self.fees_per_day,
            gas_max=self.gas_max,
            destinations=None if listed is None else frozenset(each.lower() for each in listed),
        )
