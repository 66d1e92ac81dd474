"""Builders of what is read from chains and sent to them, as `tests.builders` has the rest."""

# The fields that a builder is told to change are of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from domain.chains.instructions import SendMoney
from domain.chains.model import (
    Block,
    Cursor,
    EscrowPaid,
    Finality,
    Observation,
    ObservationKey,
    Transfer,
)
from domain.chains.submissions import Inclusion, SignedBytes, Submission
from domain.shared.ids import (
    EscrowId,
    SubmissionId,
    SweepId,
)
from domain.sweeps.model import Sweep, SweepState

if TYPE_CHECKING:
    from domain.chains.instructions import Instruction

from tests.builders import CHAIN, NOON, address_of, coins, hash_of, usdt


def a_block(number: int, *, fork: str = "main", parent_fork: str | None = None) -> Block:
    """Return a block of a fork; its parent is of the same fork unless named."""
    return Block(
        number=number,
        hash=hash_of(f"{fork}/{number}"),
        parent=hash_of(f"{parent_fork or fork}/{number - 1}"),
        time=NOON + timedelta(seconds=number),
    )


def a_cursor(seen: int = 5, *, first: int = 1, final: int = 3) -> Cursor:
    return Cursor(chain=CHAIN, first=first, seen=a_block(seen), final=a_block(final))


def a_transfer(amount: int = 100, *, to: str | None = None) -> Transfer:
    return Transfer(
        money=usdt(amount), source=address_of("payer"), target=to or address_of("pi_01")
    )


def an_escrow_paid(reference: str = "pi_01") -> EscrowPaid:
    return EscrowPaid(
        escrow_id=EscrowId(hash_of(reference)),
        reference=reference,
        payer=address_of("payer"),
        money=usdt(25 * 10**18),
    )


def an_observation(
    transaction: str = "payment", *, block: int = 5, position: int = 0, **changes: Any
) -> Observation:
    observation = Observation(
        key=ObservationKey(CHAIN, hash_of(transaction), position),
        block=a_block(block),
        fact=a_transfer(),
        finality=Finality.SEEN,
    )
    return attrs.evolve(observation, **changes)


def a_submission(
    id: str = "sub_01", *, instruction: Instruction | None = None, **changes: Any
) -> Submission:
    submission = Submission(
        id=SubmissionId(id),
        chain=CHAIN,
        instruction=instruction or SendMoney(money=usdt(100), target=address_of("merchant")),
        purpose="po_01",
        created_at=NOON,
    )
    return attrs.evolve(submission, **changes)


def a_sweep(id: str = "swp_01", **changes: Any) -> Sweep:
    """Return a sweep whose address is being given coin for its fee."""
    sweep = Sweep(
        id=SweepId(id),
        chain=CHAIN,
        address=address_of("pi_01"),
        index=1,
        money=usdt(100),
        created_at=NOON,
        changed_at=NOON,
        state=SweepState.FUNDING,
        submission_id=SubmissionId("sub_01"),
    )
    return attrs.evolve(sweep, **changes)


def signed_bytes(name: str = "payout", *, sequence: int = 0) -> SignedBytes:
    return SignedBytes(
        hash=hash_of(name), raw=name.encode(), sender=address_of("hot"), sequence=sequence
    )


def an_inclusion(name: str = "payout", **changes: Any) -> Inclusion:
    inclusion = Inclusion(
        hash=hash_of(name),
        block_number=7,
        block_hash=a_block(7).hash,
        succeeded=True,
        cost=coins(21_000),
    )
    return attrs.evolve(inclusion, **changes)
