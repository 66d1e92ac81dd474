"""Rows of chain records, and the values they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.postgres import documents
from domain.chains.coverage import Stretch
from domain.chains.instructions import Instruction
from domain.chains.model import (
    Block,
    Cursor,
    EscrowPaid,
    Fact,
    Finality,
    Observation,
    ObservationKey,
    Transfer,
)
from domain.chains.submissions import SignedBytes, Submission, SubmissionState
from domain.intents import memos

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.session import Row


def row_of_cursor(cursor: Cursor) -> Row:
    """Return a cursor as a row of ``chain_cursor``."""
    return {
        "chain": cursor.chain,
        "first": cursor.first,
        "seen": documents.write(cursor.seen),
        "final": documents.write(cursor.final),
        "parked": cursor.parked,
        "gap": cursor.gap,
    }


def cursor_of(row: Row) -> Cursor:
    """Return the cursor that a row of ``chain_cursor`` stands for."""
    return Cursor(
        chain=row["chain"],
        first=row["first"],
        seen=documents.read(row["seen"], Block),
        final=documents.read(row["final"], Block),
        parked=row["parked"],
        gap=row["gap"],
    )


def row_of_stretch(stretch: Stretch) -> Row:
    """Return a stretch as a row of ``chain_stretch``."""
    return attrs.asdict(stretch)


def stretch_of(row: Row) -> Stretch:
    """Return the stretch that a row of ``chain_stretch`` stands for."""
    return Stretch(**{field.name: row[field.name] for field in attrs.fields(Stretch)})


def row_of_block(block: Block) -> Row:
    """Return a block as a row of ``chain_block`` in JSON, without its chain."""
    return {
        "number": block.number,
        "hash": block.hash,
        "parent": block.parent,
        "time": block.time.isoformat(),
    }


def block_of(row: Row) -> Block:
    """Return the block that a row of ``chain_block`` stands for."""
    return Block(number=row["number"], hash=row["hash"], parent=row["parent"], time=row["time"])


def row_of_observation(observation: Observation) -> Row:
    """Return an observation as a row of ``observation``."""
    fact = observation.fact
    return {
        "chain": observation.key.chain,
        "transaction": observation.key.transaction,
        "position": observation.key.position,
        "block_number": observation.block.number,
        "block_hash": observation.block.hash,
        "block_parent": observation.block.parent,
        "block_time": observation.block.time,
        "fact": documents.write(observation.fact, Fact),
        "finality": observation.finality,
        "paid_escrow": fact.escrow_id if isinstance(fact, EscrowPaid) else None,
        "paid_to": fact.target if isinstance(fact, Transfer) else None,
        "paid_memo": memos.read(fact.memo) if isinstance(fact, Transfer) else None,
    }


def observation_of(row: Row) -> Observation:
    """Return the observation that a row of ``observation`` stands for."""
    return Observation(
        key=ObservationKey(row["chain"], row["transaction"], row["position"]),
        block=Block(
            number=row["block_number"],
            hash=row["block_hash"],
            parent=row["block_parent"],
            time=row["block_time"],
        ),
        fact=documents.read_union(row["fact"], Fact),
        finality=Finality(row["finality"]),
    )


def row_of_submission(submission: Submission) -> Row:
    """Return a submission as a row of ``submission``."""
    signed = submission.signed
    return {
        "id": submission.id,
        "chain": submission.chain,
        "instruction": documents.write(submission.instruction, Instruction),
        "purpose": submission.purpose,
        "created_at": submission.created_at,
        "state": submission.state,
        "hash": signed and signed.hash,
        "raw": signed and signed.raw,
        "sender": signed and signed.sender,
        "sequence": signed and signed.sequence,
        "signed_at": submission.signed_at,
        "reason": submission.reason,
        "valid_until": signed and signed.valid_until,
        "gapless": signed is not None and signed.gapless,
        "issue": submission.issue,
        "cancels": signed is not None and signed.cancels,
        "replaced": len(submission.earlier),
        "signed_after": submission.signed_after,
        "unwanted": submission.unwanted,
    }


def row_of_attempt(submission: Submission, place: int) -> Row:
    """Return the bytes at a place among a submission's earlier ones, for their own table."""
    attempt = submission.earlier[place]
    return {
        "submission_id": submission.id,
        "place": place,
        "chain": submission.chain,
        "hash": attempt.hash,
        "raw": attempt.raw,
        "valid_until": attempt.valid_until,
        "cancels": attempt.cancels,
    }


def submission_of(row: Row, earlier: Sequence[Row] = ()) -> Submission:
    """Return what a row of ``submission`` stands for, with its rows of ``submission_attempt``."""
    signed = None if row["hash"] is None else _signed(row, row)
    return Submission(
        id=row["id"],
        chain=row["chain"],
        instruction=documents.read_union(row["instruction"], Instruction),
        purpose=row["purpose"],
        created_at=row["created_at"],
        state=SubmissionState(row["state"]),
        signed=signed,
        signed_at=row["signed_at"],
        reason=row["reason"],
        issue=row["issue"],
        earlier=tuple(_signed(row, attempt) for attempt in earlier),
        signed_after=row["signed_after"],
        unwanted=row["unwanted"],
    )


def _signed(row: Row, attempt: Row) -> SignedBytes:
    return SignedBytes(
        hash=attempt["hash"],
        raw=attempt["raw"],
        sender=row["sender"],
        sequence=row["sequence"],
        valid_until=attempt["valid_until"],
        gapless=row["gapless"],
        cancels=attempt["cancels"],
    )
