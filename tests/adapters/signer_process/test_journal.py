from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from adapters.signer_process.journal import JournalRefused, SqliteSigningJournal, lines
from tests.contracts.signing_journal import AT, SigningJournalContract, sign, spent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteSigningJournal]:
    with SqliteSigningJournal(path) as journal:
        yield journal


class TestSqlite(SigningJournalContract):
    @pytest.fixture
    def journal(self, journal: SqliteSigningJournal) -> SqliteSigningJournal:
        return journal


def test_a_restart_forgets_nothing(path: Path) -> None:
    with SqliteSigningJournal(path) as journal:
        sign(journal, {"a": 5}, request=b"request")

    with SqliteSigningJournal(path) as journal:
        assert journal.signed(b"request") == b"raw"
        assert spent(journal, {"a": 1}) == {"a": 6}
        assert spent(journal, {"a": 1}, slot="1") == {"a": 5}


def test_a_second_signer_is_refused(journal: SqliteSigningJournal, path: Path) -> None:
    with pytest.raises(JournalRefused, match="locked"):
        SqliteSigningJournal(path)

    sign(journal, {"a": 5})


def test_nobody_else_reads_it(journal: SqliteSigningJournal, path: Path) -> None:
    sign(journal, {"a": 5})
    assert path.stat().st_mode & 0o777 == 0o600
    journal.close()
    path.chmod(0o640)

    with pytest.raises(JournalRefused, match="others may read it"):
        SqliteSigningJournal(path)


def test_what_is_no_journal_is_refused(path: Path) -> None:
    path.touch(mode=0o600)
    path.write_bytes(b"no database " * 100)

    with pytest.raises(JournalRefused):
        SqliteSigningJournal(path)


def test_one_request_is_never_signed_in_two_ways(journal: SqliteSigningJournal) -> None:
    sign(journal, {"a": 5}, request=b"request")

    with pytest.raises(sqlite3.IntegrityError):
        sign(journal, {"a": 7}, request=b"request", slot="2")

    assert spent(journal, {"a": 0}) == {"a": 5}


class TestLines:
    def test_they_are_read_while_more_are_written(
        self, journal: SqliteSigningJournal, path: Path
    ) -> None:
        for number in range(3):
            journal.record({"what": "refused", "why": f"é{number}"}, at=AT)

        read = list(lines(path))
        journal.record({"what": "refused"}, at=AT)

        assert [line.number for line in read] == [1, 2, 3]
        assert [line.told["why"] for line in read] == ["é0", "é1", "é2"]
        assert read[0].told["at"] == AT.isoformat()
        assert len(list(lines(path))) == 4

    @pytest.mark.parametrize(
        "change",
        ["UPDATE line SET told = '{}'", "DELETE FROM line", "UPDATE signed SET signed=''"],
    )
    def test_none_is_changed(self, journal: SqliteSigningJournal, path: Path, change: str) -> None:
        sign(journal, {"a": 1})

        with (
            closing(sqlite3.connect(path)) as other,
            pytest.raises(sqlite3.IntegrityError, match="is never"),
        ):
            other.execute(change)

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE line SET told = replace(told, 'refused', 'signed') WHERE number = 2",
            "DELETE FROM line WHERE number = 2",
            "UPDATE line SET hash = zeroblob(32) WHERE number = 3",
            "INSERT INTO line VALUES (0, '{}', zeroblob(32))",
        ],
    )
    def test_a_change_by_force_shows(self, path: Path, change: str) -> None:
        with SqliteSigningJournal(path) as journal:
            for _ in range(3):
                journal.record({"what": "refused"}, at=AT)
        with closing(sqlite3.connect(path)) as other:
            for trigger in ("line_stays", "line_is_kept"):
                other.execute(f"DROP TRIGGER {trigger}")
            other.execute(change)
            other.commit()

        with pytest.raises(JournalRefused, match="was changed or taken out"):
            list(lines(path))

    def test_where_there_is_no_journal_there_are_none(self, path: Path) -> None:
        with pytest.raises(JournalRefused):
            list(lines(path))
