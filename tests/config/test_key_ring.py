"""The ring of keys: its file, what the settings make of it, and a warning where there is none."""

from __future__ import annotations

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from adapters.postgres.key_ring import Place, SecretUnreadable, key_id
from adapters.postgres.storage import PostgresStorage
from adapters.system.secret_files import KeyFileRefused
from config.bootstrap import api, container, worker
from config.key_ring import KEYS_MAX, Secrets, add_key, key_ring, read_ring
from config.settings import structure, structure_as

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "secrets.md"
PLACE = Place("webhook_endpoint", "secret", "we_01")
SECRET = "whsec_bWFkZSB1cA=="


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """Return where a ring is that nobody has made yet."""
    return tmp_path / "ring"


def test_a_new_key_is_at_the_front_and_all_open(ring: Path) -> None:
    first = add_key(ring)
    sealed = key_ring(Secrets(ring)).seal_text(SECRET, PLACE)
    second = add_key(ring)

    assert stat.S_IMODE(ring.stat().st_mode) == 0o600
    assert [key_id(key) for key in read_ring(ring)] == [second, first]
    assert key_ring(Secrets(ring)).sealing == second
    assert key_ring(Secrets(ring)).open_text(sealed, PLACE) == SECRET


def test_a_key_that_was_added_since_is_learnt(ring: Path) -> None:
    add_key(ring)
    started_before = key_ring(Secrets(ring))
    add_key(ring)
    sealed = key_ring(Secrets(ring)).seal_text(SECRET, PLACE)

    assert started_before.open_text(sealed, PLACE) == SECRET


def test_a_ring_that_is_gone_meanwhile_does_no_harm(
    ring: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_key(ring)
    started = key_ring(Secrets(ring))
    own = started.seal_text(SECRET, PLACE)
    ring.unlink()
    add_key(ring)
    foreign = key_ring(Secrets(ring)).seal_text(SECRET, PLACE)
    ring.chmod(0o644)

    with pytest.raises(SecretUnreadable):
        started.open_text(foreign, PLACE)
    assert started.open_text(own, PLACE) == SECRET
    assert "0644" in caplog.text


@pytest.mark.parametrize(
    "content",
    ["", "\n\n", "ab" * 31, "ab" * 33, "xy" * 32, f"{'ab' * 32}\n{'cd' * 31}\n", "ab" * 32 + "é"],
)
def test_what_holds_no_keys_is_refused_and_not_quoted(ring: Path, content: str) -> None:
    ring.write_text(content)
    ring.chmod(0o600)
    with pytest.raises(KeyFileRefused, match="hexadecimal") as refusal:
        key_ring(Secrets(ring))

    assert "abab" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_ring_that_others_may_read_is_refused(ring: Path) -> None:
    add_key(ring)
    ring.chmod(0o640)
    with pytest.raises(KeyFileRefused, match="0640"):
        key_ring(Secrets(ring))
    with pytest.raises(KeyFileRefused, match="0640"):
        add_key(ring)


def test_a_ring_has_so_many_keys(ring: Path) -> None:
    added = [add_key(ring) for _ in range(KEYS_MAX)]
    with pytest.raises(KeyFileRefused, match=f"holds {KEYS_MAX} keys already"):
        add_key(ring)

    assert [key_id(key) for key in read_ring(ring)] == added[::-1]
    ring.write_text(ring.read_text() + "ab" * 32)
    with pytest.raises(KeyFileRefused):
        read_ring(ring)


def test_a_missing_ring_is_told(ring: Path) -> None:
    with pytest.raises(KeyFileRefused, match="No such file"):
        key_ring(Secrets(ring))


def test_every_process_has_the_ring(raw: dict[str, Any], ring: Path) -> None:
    name = add_key(ring)
    settings = structure(raw | {"secrets": {"ring_file": str(ring)}})

    for role in ("", "switchyard_api"):
        storage = container(settings, role=role).adapters.storage()
        assert isinstance(storage, PostgresStorage)
        assert storage.ring.sealing == name
        assert read_ring(ring)[0].hex() not in repr(storage)


def test_the_settings_of_the_page_are_ones_that_the_program_takes() -> None:
    found = re.search(r"```toml secrets\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    told = structure_as(Secrets, tomllib.loads(found[1])["secrets"], path="secrets")

    assert told == Secrets(Path("/etc/switchyard/ring"), seal=True)


def test_it_may_open_without_sealing(raw: dict[str, Any], ring: Path) -> None:
    name = add_key(ring)
    settings = structure(raw | {"secrets": {"ring_file": str(ring), "seal": False}})
    made = key_ring(settings.secrets)

    assert (made.sealing, made.ids) == (None, [name])


def test_that_secrets_lie_in_clear_is_told(
    raw: dict[str, Any], key_file: Path, ring: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raw["keys"]["hot_wallet_file"] = str(key_file)
    for build in (api, worker):
        caplog.clear()
        build(structure(raw))
        assert "in clear: settings.secrets.ring_file" in caplog.text

    caplog.clear()
    add_key(ring)
    api(structure(raw | {"secrets": {"ring_file": str(ring)}}))
    worker(structure(raw | {"deployment": "testing"}))
    assert "in clear" not in caplog.text
