"""``switchyard books key`` and ``verify``: no database, no settings, no network."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters.keys.ed25519 import Ed25519Signer
from adapters.memory.clock import FakeClock
from adapters.memory.ids import SequentialIds
from adapters.memory.store import Store
from domain.ledger.documents import Period
from domain.ledger.sealing import Sealing
from domain.ledger.statements import Statements
from domain.shared.money import Assets
from tests.builders import MERCHANT, USDT, a_merchant, earned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def statement(tmp_path: Path) -> Path:
    """Write a statement of one entry, signed with the key in ``key``."""
    clock = FakeClock(DAY)
    store = Store(clock=clock, ids=SequentialIds())
    signer = Ed25519Signer.from_file(key_file(tmp_path))
    async with store.begin() as work:
        await work.merchants.add(a_merchant())
        await work.ledger.book(earned(12, by=MERCHANT))
        await work.commit()
    await Sealing(store.begin).seal()
    clock.advance(days=2)
    service = Statements(store.begin, clock, Assets.of([USDT]), signer)
    period = Period(since=DAY, until=DAY + timedelta(days=1))
    file = tmp_path / "statement.json"
    file.write_text(json.dumps(await service.issue(owner=MERCHANT, period=period)))
    return file


def key_file(folder: Path) -> Path:
    file = folder / "key"
    file.touch(mode=0o600)
    file.write_text("ab" * 32)
    return file


def public_key() -> str:
    return Ed25519Signer(bytes.fromhex("ab" * 32)).public_key


def test_a_new_key_is_private_and_its_public_half_is_printed(
    switchyard: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "new"

    first, second = switchyard("books", "key", str(file)), switchyard("books", "key", str(file))

    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout.strip() == Ed25519Signer.from_file(file).public_key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (second.exit_code, second.stdout) == (1, "")
    assert second.stderr == f"{file}: File exists\n"


def test_a_statement_that_is_right_is_told_in_a_few_lines(
    switchyard: Callable[..., Result], statement: Path
) -> None:
    told = switchyard("books", "verify", str(statement), "--key", public_key())

    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.splitlines() == [
        f"{MERCHANT}  2026-03-01T00:00:00.000000Z to 2026-03-02T00:00:00.000000Z",
        f"merchant:{MERCHANT}:available  {USDT.id}  0 -> 12",
        f"1 transactions, as {public_key()} signed",
    ]


def test_without_a_key_it_says_what_that_does_not_show(
    switchyard: Callable[..., Result], statement: Path
) -> None:
    told = switchyard("books", "verify", str(statement))

    assert told.exit_code == 0
    assert told.stdout.splitlines()[-1].startswith("whose key that is")


def test_what_was_changed_is_told_line_by_line(
    switchyard: Callable[..., Result], statement: Path
) -> None:
    tampered: dict[str, Any] = json.loads(statement.read_text())
    tampered["accounts"][0]["closing"] = "1200"
    statement.write_text(json.dumps(tampered))

    told = switchyard("books", "verify", str(statement))

    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.splitlines() == [
        "the signature is not one of this document",
        f"merchant:{MERCHANT}:available {USDT.id}: 0 and entries of 12 are not 1200",
    ]


def test_another_key_is_told(switchyard: Callable[..., Result], statement: Path) -> None:
    told = switchyard("books", "verify", str(statement), "--key", "00" * 32)

    assert told.exit_code == 1
    assert told.stderr == f"it was signed with another key: {public_key()}\n"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"hello"])
def test_what_is_no_statement_is_told_in_a_line(
    switchyard: Callable[..., Result], tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)

    told = switchyard("books", "verify", str(file))

    assert told.exit_code == 1
    (line,) = told.stderr.splitlines()
    assert line.startswith(f"{file} is no statement: ")
