"""Our own transactions, and the numbers of their senders, in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import ARRAY, BigInteger, any_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.chain_rows import row_of_attempt, row_of_submission, submission_of
from adapters.postgres.session import Session
from adapters.postgres.statements import (
    compiled,
    insertion,
    select_by_id,
    update_by_id,
    written,
)
from adapters.postgres.tables.chains import SENDER_SEQUENCE, SUBMISSION, SUBMISSION_ATTEMPT
from adapters.postgres.tables.columns import NAME
from domain.chains.submissions import IN_FLIGHT, SubmissionState
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adapters.postgres.session import Row
    from adapters.postgres.statements import Statement
    from domain.chains.submissions import Submission
    from domain.shared.ids import SubmissionId
    from domain.shared.money import ChainId

_ADD = insertion(SUBMISSION)
_SAVE = update_by_id(SUBMISSION, fixed=["chain", "instruction", "purpose", "created_at", "issue"])
_LOCK = select_by_id(SUBMISSION, lock=True)
_ADD_ATTEMPT = compiled(
    insert(SUBMISSION_ATTEMPT).on_conflict_do_nothing(index_elements=["submission_id", "place"]),
    columns=written(SUBMISSION_ATTEMPT),
)
_ATTEMPTS = compiled(
    select(SUBMISSION_ATTEMPT)
    .where(SUBMISSION_ATTEMPT.c.submission_id == any_(bindparam("ids", type_=ARRAY(NAME))))
    .order_by(SUBMISSION_ATTEMPT.c.submission_id, SUBMISSION_ATTEMPT.c.place)
)


def _in_states(states: Iterable[SubmissionState]) -> Statement:
    clause = (
        select(SUBMISSION)
        .where(
            SUBMISSION.c.chain == bindparam("chain"),
            SUBMISSION.c.state.in_(sorted(state.value for state in states)),
        )
        .order_by(SUBMISSION.c.created_at, SUBMISSION.c.id)
        .limit(bindparam("limit"))
    )
    return compiled(clause)


_QUEUED = _in_states([SubmissionState.QUEUED])
_IN_FLIGHT = _in_states(IN_FLIGHT)
_SIGNED_FROM = compiled(
    select(SUBMISSION)
    .where(
        SUBMISSION.c.chain == bindparam("chain"),
        SUBMISSION.c.sender == bindparam("sender"),
        SUBMISSION.c.sequence >= bindparam("sequence"),
    )
    .order_by(SUBMISSION.c.sequence, SUBMISSION.c.created_at, SUBMISSION.c.id)
    .limit(bindparam("limit"))
)
_NEXT_SEQUENCE = compiled(
    select(SENDER_SEQUENCE.c.last).where(
        SENDER_SEQUENCE.c.chain == bindparam("chain"),
        SENDER_SEQUENCE.c.sender == bindparam("sender"),
    )
)
_taking = insert(SENDER_SEQUENCE)
_TAKE_SEQUENCE = compiled(
    _taking.on_conflict_do_update(
        index_elements=["chain", "sender"],
        set_={"last": func.greatest(SENDER_SEQUENCE.c.last + 1, _taking.excluded.last)},
    ).returning(SENDER_SEQUENCE.c.last),
    columns=written(SENDER_SEQUENCE),
)
_GIVE_BACK_SEQUENCE = compiled(
    update(SENDER_SEQUENCE)
    .values(last=func.least(SENDER_SEQUENCE.c.last, bindparam("before", type_=BigInteger)))
    .where(
        SENDER_SEQUENCE.c.chain == bindparam("key_chain"),
        SENDER_SEQUENCE.c.sender == bindparam("key_sender"),
    )
    .returning(SENDER_SEQUENCE.c.last)
)


@attrs.frozen
class PostgresSubmissions:
    """The part of ``ports.chain_records.ChainRecords`` that is about what we send."""

    _session: Session

    async def add_submission(self, submission: Submission) -> None:
        """Store a new submission."""
        await self._session.write(_ADD, row_of_submission(submission), submission.id)
        for place in range(len(submission.earlier)):
            await self._add_attempt(submission, place)

    async def save_submission(self, submission: Submission) -> None:
        """Store a submission as it is now."""
        await self._session.write(_SAVE, row_of_submission(submission), submission.id)
        if submission.earlier:
            # Those before the last were stored when they were replaced themselves.
            await self._add_attempt(submission, len(submission.earlier) - 1)

    async def lock_submission(self, submission_id: SubmissionId) -> Submission:
        """Return a submission and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK, id=submission_id)
        if row is None:
            raise NotFound("submission", submission_id)
        [submission] = await self._with_attempts([row])
        return submission

    async def queued(self, chain: ChainId, *, limit: int) -> Sequence[Submission]:
        """Return submissions that are not signed yet, oldest first."""
        rows = await self._session.rows(_QUEUED, chain=chain, limit=limit)
        return [submission_of(row) for row in rows]

    async def in_flight(self, chain: ChainId, *, limit: int) -> Sequence[Submission]:
        """Return submissions whose bytes may be or come to be in a block, oldest first."""
        rows = await self._session.rows(_IN_FLIGHT, chain=chain, limit=limit)
        return await self._with_attempts(rows)

    async def signed_from(
        self, chain: ChainId, *, sender: str, sequence: int, limit: int
    ) -> Sequence[Submission]:
        """Return submissions that have a sender's numbers from one on, ended or not, in order."""
        rows = await self._session.rows(
            _SIGNED_FROM, chain=chain, sender=sender, sequence=sequence, limit=limit
        )
        return await self._with_attempts(rows)

    async def next_sequence(self, chain: ChainId, *, sender: str) -> int | None:
        """Return the number that would be given out next; None where none ever was."""
        row = await self._session.row(_NEXT_SEQUENCE, chain=chain, sender=sender)
        last: int | None = None if row is None else row["last"]
        return None if last is None else last + 1

    async def take_sequence(self, chain: ChainId, *, sender: str, at_least: int) -> int:
        """Give out a sender's next sequence number, holding its counter until the end."""
        [row] = await self._session.rows(_TAKE_SEQUENCE, chain=chain, sender=sender, last=at_least)
        number: int = row["last"]
        return number

    async def give_back_sequence(self, chain: ChainId, *, sender: str, sequence: int) -> None:
        """Give out a number again, and those above it.

        At once, not with the next writes: whoever signs has the counter before the books, too.
        """
        await self._session.rows(
            _GIVE_BACK_SEQUENCE, key_chain=chain, key_sender=sender, before=sequence - 1
        )

    async def _add_attempt(self, submission: Submission, place: int) -> None:
        row = row_of_attempt(submission, place)
        await self._session.write(_ADD_ATTEMPT, row, ("attempt", submission.id, place))

    async def _with_attempts(self, rows: Sequence[Row]) -> list[Submission]:
        """Return submissions with what was replaced of them, which is none of nearly all."""
        ids = [row["id"] for row in rows if row["replaced"]]
        found = await self._session.rows(_ATTEMPTS, ids=ids) if ids else []
        # One that is not locked may have got another since its row was read.
        return [
            submission_of(
                row,
                [it for it in found if it["submission_id"] == row["id"]][: row["replaced"]],
            )
            for row in rows
        ]
