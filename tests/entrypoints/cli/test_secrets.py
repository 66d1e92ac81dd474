"""``switchyard secrets``: a ring, its rotation, and how all secrets lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from adapters.memory.clock import FakeClock
from adapters.postgres.key_ring import key_id
from adapters.postgres.storage import PostgresStorage
from adapters.system.ids import RandomIds
from config.key_ring import read_ring
from tests.contracts.at_rest import ANSWERS, ENDPOINTS, given_secrets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

ENDPOINT_SECRETS = sum(2 if it.former_secret else 1 for it in ENDPOINTS)


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return tmp_path / "ring"


@pytest.fixture
def run(
    switchyard: Callable[..., Result],
    written: Callable[..., Path],
    postgres_dsn: str,
    ring: Path,
) -> Callable[..., Result]:
    """Run a command with settings that name the ring as soon as there is one."""

    def run(*arguments: str, **secrets: object) -> Result:
        named = {"ring_file": str(ring), **secrets} if ring.exists() else {}
        file = written(database={"url": postgres_dsn}, secrets=named)
        return switchyard("secrets", *arguments, "--settings", str(file))

    return run


@pytest.fixture
async def stored(postgres_dsn: str) -> None:
    """Store secrets in clear, as a version before this one has."""
    storage = PostgresStorage(dsn=postgres_dsn, clock=FakeClock(), ids=RandomIds())
    await storage.open()
    await given_secrets(storage.begin)
    await storage.close()


def lines(*counted: tuple[str, int, int]) -> str:
    return "".join(
        f"{table}\t{key}\t{count}\n"
        for index, table in enumerate(("idempotency_key", "webhook_endpoint"))
        for key, *counts in counted
        if (count := counts[index])
    )


@pytest.mark.usefixtures("stored")
def test_from_clear_to_sealed_to_another_key(
    run: Callable[..., Result], switchyard: Callable[..., Result], ring: Path, postgres_dsn: str
) -> None:
    all_ = (len(ANSWERS), ENDPOINT_SECRETS)
    unsealed = run("status")
    assert unsealed.exit_code == 1
    assert unsealed.stdout == lines(("in clear", *all_))
    assert "nothing is sealed" in unsealed.stderr

    first = switchyard("secrets", "new-key", str(ring)).stdout.strip()
    assert first == key_id(read_ring(ring)[0])
    assert run("status").exit_code == 1
    sealed = run("reseal")
    assert sealed.exit_code == 0, sealed.output
    assert sealed.stdout == f"{sum(all_)} resealed\n" + lines((f"{first} (seals)", *all_))
    assert run("status").exit_code == 0

    second = switchyard("secrets", "new-key", str(ring)).stdout.strip()
    rotating = run("status")
    assert (rotating.exit_code, rotating.stdout) == (1, lines((first, *all_)))
    assert run("reseal").exit_code == 0
    again = run("reseal")
    assert again.stdout == "0 resealed\n" + lines((f"{second} (seals)", *all_))

    ring.write_text(ring.read_text().splitlines()[0])
    assert run("status").exit_code == 0
    with psycopg.connect(postgres_dsn) as connection:
        recorded = connection.execute(
            "select distinct action, outcome, problem, detail from audit_entry order by 1, 2, 4"
        ).fetchall()
    assert ("switchyard secrets reseal", "done", None, f"4 secrets sealed by {second}") in recorded
    assert ("switchyard secrets status", "failed", "exit status 1", None) in recorded


@pytest.mark.usefixtures("stored")
def test_what_does_not_open_is_named(
    run: Callable[..., Result], switchyard: Callable[..., Result], ring: Path
) -> None:
    lost = switchyard("secrets", "new-key", str(ring)).stdout.strip()
    assert run("reseal").exit_code == 0
    ring.unlink()
    switchyard("secrets", "new-key", str(ring))

    told = run("reseal")

    assert told.exit_code == 1
    assert told.stdout.startswith("0 resealed\n")
    assert f"{lost} (not on the ring)" in told.stdout
    for endpoint in ENDPOINTS:
        assert (
            f"webhook_endpoint.secret of {endpoint.id}, sealed by the key {lost}: "
            "the key is not on the ring"
        ) in told.stderr
    assert "whsec" not in told.output


@pytest.mark.usefixtures("stored")
def test_all_is_put_back_in_clear_before_going_back_to_an_older_version(
    run: Callable[..., Result], switchyard: Callable[..., Result], ring: Path
) -> None:
    switchyard("secrets", "new-key", str(ring))
    assert run("reseal").exit_code == 0

    told = run("reseal", seal=False)

    assert told.exit_code == 0
    assert "in clear" in told.stdout
    ring.unlink()
    assert "in clear" in run("status").stdout


def test_a_file_that_is_none_is_left_alone(switchyard: Callable[..., Result], ring: Path) -> None:
    ring.write_text("something else")
    ring.chmod(0o600)
    told = switchyard("secrets", "new-key", str(ring))

    assert told.exit_code == 1
    assert "hexadecimal" in told.stderr
    assert ring.read_text() == "something else"
