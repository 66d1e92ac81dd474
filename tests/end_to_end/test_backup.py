"""The procedure of docs/operations/backup.md, as it stands there, on real parts."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import psycopg
import pytest
import tomli_w
from click.testing import CliRunner

from adapters.evm.signer import LocalSigner
from adapters.evm.wallet_seed import account_xpub
from adapters.keys.entries import KeyLabel
from adapters.keys.keystore import Keystore, KeystoreRefused
from adapters.keys.local_wrappers import FileKeyWrapper, create_wrapping_key
from adapters.postgres.embedded.binaries import find_installation
from adapters.postgres.storage import PostgresStorage
from adapters.signer_process.journal import SqliteSigningJournal, lines
from adapters.system.clock import SystemClock
from adapters.system.ids import RandomIds
from domain.ledger.sealing import Sealing
from entrypoints.cli.main import main
from tests.builders import a_merchant, earned
from tests.contracts.signing_journal import sign, spent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations" / "backup.md"
KEY = bytes(range(1, 33))
RESTORED = "restored"


@attrs.frozen
class Place:
    """A machine's directory: a keystore, a journal and settings, and the database's URL."""

    root: Path
    dsn: str

    @property
    def keystore(self) -> Path:
        return self.root / "keys"

    @property
    def journal(self) -> Path:
        return self.root / "journal.sqlite"

    def settings(self, kek: Path) -> Path:
        wrapper = {"name": "kek", "kind": "file", "file": str(kek)}
        told: dict[str, Any] = {
            "database": {"url": self.dsn},
            "http": {"cursor_key": "c" * 32},
            "keys": {"xpub": account_xpub(bytes(64))},
            "keystore": {
                "directory": str(self.keystore),
                "wrap_with": "kek",
                "wrappers": [wrapper],
            },
            "assets": [{"id": "iso4217:USD", "symbol": "USD", "decimals": 2}],
            "chains": [],
            "rates": [],
        }
        file = self.root / "settings.toml"
        file.write_text(tomli_w.dumps(told))
        return file


@attrs.frozen
class Drill:
    """A place that runs, one to restore to, and a backup between them."""

    here: Place
    there: Place
    backup: Path
    kek: Path

    def run(self, step: str, at: Place) -> subprocess.CompletedProcess[str]:
        """Run a step of the page at a place."""
        found = re.search(rf"```sh {step}\n(.*?)```", PAGE.read_text(), re.DOTALL)
        assert found is not None
        program = f'switchyard() {{ {shlex.quote(sys.executable)} -m entrypoints.cli.main "$@"; }}'
        environment = {
            "PATH": os.pathsep.join([str(self.backup / "bin"), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": at.dsn,
            "KEYSTORE": str(at.keystore),
            "JOURNAL": str(at.journal),
            "BACKUP": str(self.backup / "backup"),
            "SETTINGS": str(at.settings(self.kek)),
            "CHAINS": "--no-chains",
        }
        return subprocess.run(  # noqa: S603 (the page's own commands)
            ["bash", "-euc", f"{program}\n{found[1]}"],  # noqa: S607 (whichever is there)
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def drill(tmp_path: Path, postgres_server: PostgresServer, postgres_dsn: str) -> Iterator[Drill]:
    for name in ("here", "there", "between"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "between" / "backup").mkdir(mode=0o700)
    (tmp_path / "between" / "bin").mkdir()
    for name in ("pg_dump", "pg_restore"):
        program = find_installation().program(name)
        script = tmp_path / "between" / "bin" / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(program))} "$@"\n')
        script.chmod(0o755)
    create_wrapping_key(tmp_path / "kek")
    postgres_server.create_database(RESTORED, template="template0")
    try:
        yield Drill(
            Place(tmp_path / "here", postgres_dsn),
            Place(tmp_path / "there", postgres_server.dsn(database=RESTORED)),
            tmp_path / "between",
            tmp_path / "kek",
        )
    finally:
        postgres_server.drop_database(RESTORED)


async def lived_in(place: Place, kek: Path) -> None:
    """Have books, keys and a signer's memory at a place."""
    storage = PostgresStorage(dsn=place.dsn, clock=SystemClock(), ids=RandomIds())
    await storage.open()
    try:
        async with storage.begin() as work:
            await work.merchants.add(a_merchant())
            for number in range(5):
                await work.ledger.book(earned(12 + number, reference=f"pi_{number}"))
            await work.commit()
        await Sealing(storage.begin).seal()
    finally:
        await storage.close()
    place.keystore.mkdir(mode=0o700)
    address = LocalSigner(KEY, chain_id=1).address
    label = KeyLabel(id="hot", purpose="hot-wallet", family="eip155", public=address)
    keystore = Keystore(place.keystore, {"kek": FileKeyWrapper.from_file("kek", kek)})
    keystore.create(label, KEY, wrapper="kek")
    with SqliteSigningJournal(place.journal) as journal:
        sign(journal, {"a": 5}, request=b"request")


def test_what_was_backed_up_is_all_there_again(drill: Drill) -> None:
    asyncio.run(lived_in(drill.here, drill.kek))

    done = drill.run("backup", drill.here)
    assert done.returncode == 0, done.stderr
    # Nothing of the first place is left to be read by mistake.
    shutil.rmtree(drill.here.root)
    drill.here.root.mkdir()
    done = drill.run("restore", drill.there)
    assert done.returncode == 0, done.stderr
    done = drill.run("check", drill.there)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "the books are right" in done.stdout
    assert "sealed up to 5" in done.stdout
    assert f"hot is the key of {LocalSigner(KEY, chain_id=1).address}" in done.stdout
    with SqliteSigningJournal(drill.there.journal) as journal:
        assert journal.signed(b"request") == b"raw"
        assert spent(journal, {"a": 1}) == {"a": 6}
    assert len(list(lines(drill.there.journal))) == 1
    nothing_lies_open(drill)
    a_lost_posting_is_found(drill)


def nothing_lies_open(drill: Drill) -> None:
    """A copy of the backup tells no key, and opens with no other wrapping key."""
    for path in (drill.backup / "backup").rglob("*"):
        if path.is_file():
            assert KEY not in path.read_bytes()
            assert KEY.hex().encode() not in path.read_bytes()
    another = FileKeyWrapper("kek", bytes(32))
    with pytest.raises(KeystoreRefused, match="does not open with kek"):
        Keystore(drill.there.keystore, {"kek": another}).open("hot")


def a_lost_posting_is_found(drill: Drill) -> None:
    """The last step finds what a restoration has spoilt: it is seen to fail."""
    with psycopg.connect(drill.there.dsn) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update posting set amount = amount + 1 where ctid = '(0,1)'")
    settings = str(drill.there.settings(drill.kek))

    checked = CliRunner().invoke(main, ["books", "check", "--no-chains", "--settings", settings])

    assert checked.exit_code == 1
    assert "findings" in checked.output


def test_what_was_changed_in_between_is_not_restored(drill: Drill) -> None:
    asyncio.run(lived_in(drill.here, drill.kek))
    assert drill.run("backup", drill.here).returncode == 0
    copy = drill.backup / "backup" / "keys" / "hot.json"
    copy.write_bytes(copy.read_bytes().replace(b"0", b"1", 1))

    done = drill.run("restore", drill.there)

    assert done.returncode == 1
    assert "hot.json: FAILED" in done.stdout
    assert not drill.there.keystore.exists()
