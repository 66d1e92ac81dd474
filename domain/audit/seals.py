"""Seals of the audit log: a chain of hashes over its entries, in the order of their places.

A seal covers all entries from the one behind the last seal's up to its own last place. It is put
on once nothing can appear any more up to there, so no range is ever filled in later.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.chaining import GENESIS, linked
from domain.shared.rendering import render_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.audit.model import RecordedEntry

MARK_BYTES: Final = 4
"""How much of the hash after each entry a seal keeps, to say at which one the chain is broken."""


@attrs.frozen
class AuditSeal:
    """One link over a range of entries."""

    number: int
    """1 for the first, then without gaps."""
    last: int
    """The place of the last entry it covers."""
    marks: bytes = attrs.field(repr=False)
    """The first ``MARK_BYTES`` of the hash after each entry: they find what ``hash`` proves."""
    hash: bytes
    """SHA-256 of the hash before it (32 bytes) and of ``canonical`` of an entry, for each."""

    @property
    def count(self) -> int:
        """How many entries it covers."""
        return len(self.marks) // MARK_BYTES


def canonical(recorded: RecordedEntry) -> bytes:
    """Write an entry as the bytes that are hashed: JSON, keys sorted, without spaces."""
    entry = recorded.entry
    return json.dumps(
        {
            "sequence": recorded.sequence,
            "at": render_time(entry.at),
            "actor": entry.actor,
            "actor_id": entry.actor_id,
            "merchant_id": entry.merchant_id,
            "action": entry.action,
            "objects": entry.objects,
            "outcome": entry.outcome,
            "status": entry.status,
            "problem": entry.problem,
            "times": entry.times,
            "request_id": entry.request_id,
            "address": entry.address,
            "detail": entry.detail,
        },
        separators=(",", ":"),
        sort_keys=True,
    ).encode()


def sealed(last: AuditSeal | None, entries: Sequence[RecordedEntry]) -> AuditSeal:
    """Seal entries, one at least, after the newest seal."""
    *_, hash = hashes = [*_hashes(last.hash if last else GENESIS, entries)]
    return AuditSeal(
        number=last.number + 1 if last else 1,
        last=entries[-1].sequence,
        marks=b"".join(each[:MARK_BYTES] for each in hashes),
        hash=hash,
    )


def broken(before: bytes, seal: AuditSeal, entries: Sequence[RecordedEntry]) -> str | None:
    """Return where the entries of a seal's range are not those it was put on; None if they are.

    Args:
        before: The hash of the seal before it.
        seal: What they are held against.
        entries: All that stand in its range now, or one more than it covers if there are more.
    """
    place, hash = "its first entry", before
    marks = [
        seal.marks[start : start + MARK_BYTES] for start in range(0, len(seal.marks), MARK_BYTES)
    ]
    for mark, recorded in zip_longest(marks, entries):
        if recorded is None:
            return f"an entry is missing behind {place}"
        hash = linked(hash, [canonical(recorded)])
        if mark is None:
            return f"entry {recorded.sequence} is one too many"
        if hash[:MARK_BYTES] != mark:
            return f"entry {recorded.sequence} is not what followed {place}"
        place = f"entry {recorded.sequence}"
    return None if hash == seal.hash else "the seal is not that of its entries"


def _hashes(before: bytes, entries: Sequence[RecordedEntry]) -> Iterator[bytes]:
    for recorded in entries:
        before = linked(before, [canonical(recorded)])
        yield before
