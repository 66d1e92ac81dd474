"""What every journal of a signer keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ports.signing import SigningJournal

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, NEXT_DAY = "2026-03-01", "2026-03-02"
LARGE = 10**30
"""More than 64 bits."""


def sign(
    journal: SigningJournal,
    totals: Mapping[str, int],
    *,
    slot: str = "1",
    day: str = DAY,
    key: str = "hot",
    request: bytes | None = None,
) -> None:
    journal.record_signed(
        key,
        request=request or f"{key} {day} {slot} {totals}".encode(),
        signed=b"raw",
        day=day,
        slot=slot,
        totals=totals,
        told={"what": "signed"},
        at=AT,
    )


def spent(
    journal: SigningJournal, totals: Mapping[str, int], *, slot: str = "9", key: str = "hot"
) -> Mapping[str, int]:
    return journal.spent(key, day=DAY, slot=slot, totals=totals)


class SigningJournalContract:
    @pytest.fixture
    def journal(self) -> SigningJournal:
        raise NotImplementedError

    def test_it_knows_what_was_signed(self, journal: SigningJournal) -> None:
        assert journal.signed(b"request") is None

        sign(journal, {"a": 1}, request=b"request")

        assert journal.signed(b"request") == b"raw"
        assert journal.signed(b"other") is None

    def test_a_day_comes_to_the_sum_of_its_slots(self, journal: SigningJournal) -> None:
        sign(journal, {"a": LARGE, "b": 1}, slot="1")
        sign(journal, {"a": LARGE}, slot="2")

        assert spent(journal, {"a": 1}) == {"a": 2 * LARGE + 1}
        assert spent(journal, {"a": 0, "b": 0, "c": 0}) == {"a": 2 * LARGE, "b": 1, "c": 0}

    def test_of_a_slot_the_largest_counts(self, journal: SigningJournal) -> None:
        for amount in (5, LARGE, 7):
            sign(journal, {"a": amount}, slot="1")
        sign(journal, {"a": 1}, slot="2")

        assert spent(journal, {"a": 3}, slot="1") == {"a": LARGE + 1}
        assert spent(journal, {"a": LARGE + 3}, slot="1") == {"a": LARGE + 4}
        assert spent(journal, {"a": 0}) == {"a": LARGE + 1}

    def test_days_and_keys_are_apart(self, journal: SigningJournal) -> None:
        sign(journal, {"a": 5}, day=NEXT_DAY)
        sign(journal, {"a": 7}, key="cold")

        assert spent(journal, {"a": 1}) == {"a": 1}
        assert spent(journal, {"a": 1}, key="cold") == {"a": 8}

    def test_asking_changes_nothing(self, journal: SigningJournal) -> None:
        sign(journal, {"a": 5})
        for _ in range(3):
            spent(journal, {"a": 100})
        journal.record({"what": "refused"}, at=AT)

        assert spent(journal, {"a": 0}) == {"a": 5}
