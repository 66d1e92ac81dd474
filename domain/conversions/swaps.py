"""Swaps: what is to be sent so that money is exchanged, and what came of it."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TypeAlias

import attrs

from domain.conversions.pools import Path
from domain.shared.money import AssetMismatch, Money


@attrs.frozen
class UnboundedSwap(ValueError):
    """A swap without an amount, a least result or a time zone would accept anything."""

    field: str
    value: object


@attrs.frozen(kw_only=True)
class Swap:
    """An exact amount for at least another one, until a moment; or nothing at all."""

    money_in: Money
    minimum_out: Money
    path: Path
    deadline: datetime
    """By the time of blocks; the exchange refuses it in a later one."""
    sender: str
    """The address that holds the money and sends the transactions."""
    recipient: str

    def __attrs_post_init__(self) -> None:
        for money, asset in (
            (self.money_in, self.path.source),
            (self.minimum_out, self.path.target),
        ):
            if money.asset != asset:
                raise AssetMismatch(expected=asset, got=money.asset)
        if self.money_in.amount <= 0:
            raise UnboundedSwap("money_in", self.money_in)
        if self.minimum_out.amount <= 0:
            raise UnboundedSwap("minimum_out", self.minimum_out)
        if self.deadline.tzinfo is None:
            raise UnboundedSwap("deadline", self.deadline)


class Purpose(enum.StrEnum):
    """What one transaction of a swap is for."""

    RESET = "reset"
    """Takes back what the exchange may still take of an asset."""
    APPROVE = "approve"
    """Lets the exchange take exactly what is to be swapped."""
    SWAP = "swap"


@attrs.frozen(kw_only=True)
class SwapCall:
    """A transaction to be signed and stored before it is broadcast, like any other of ours."""

    purpose: Purpose
    sender: str
    target: str
    data: bytes = attrs.field(repr=False)
    value: int
    """The native coin to send along, smallest unit."""


class Cause(enum.StrEnum):
    """Why a swap was refused."""

    NO_ROUTE = "no_route"
    """There is no pool for a step of the path."""
    LIQUIDITY = "liquidity"
    """The pools are too small for the amount."""
    SLIPPAGE = "slippage"
    """The price has moved: less than the least would have come out."""
    DEADLINE = "deadline"
    TRANSFER_FEE = "transfer_fee"
    """A token keeps a part of each transfer, so the pool got less than it was promised."""
    FUNDS = "funds"
    """The sender does not hold the amount, or has not let the exchange take it."""
    GAS = "gas"
    """The sender's native coin, or the transaction's gas limit, was not enough for the fee."""
    GAS_PRICE = "gas_price"
    """The network asks for more than the deployment is ready to pay."""
    REVERTED = "reverted"
    """For another reason, or one that the chain no longer shows."""


@attrs.frozen
class SwapFailure:
    """Why nothing was exchanged: the cause, and the contract's or the node's own words."""

    cause: Cause
    reason: str


@attrs.frozen(kw_only=True)
class Swapped:
    """A swap that took place, as the transaction's own events tell it; never as quoted."""

    transaction: str
    spent: Money
    given: Money
    """What the last pool sent out."""
    received: Money
    """What came in at the recipient."""
    block_number: int
    block_hash: str

    @property
    def withheld(self) -> Money:
        """What the token kept of its own transfer; more than zero is a matter for a person."""
        return self.given - self.received


@attrs.frozen(kw_only=True)
class SwapFailed:
    """A swap whose transaction is in a block, without effect: proof that nothing was exchanged."""

    transaction: str
    failure: SwapFailure
    block_number: int
    block_hash: str


SwapOutcome: TypeAlias = Swapped | SwapFailed
