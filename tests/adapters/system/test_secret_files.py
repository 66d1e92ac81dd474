from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from adapters.system.secret_files import (
    DRAFT,
    KeyFileRefused,
    create_secret,
    read_key,
    read_secret,
    replace_secret,
    write_key,
)

ROOT = Path(__file__).parents[3]
KEY = bytes(range(32))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    create_secret(path, b"hush")
    return path


def descriptors() -> int:
    return psutil.Process().num_fds()


def test_what_was_written_is_read(file: Path) -> None:
    assert read_secret(file, bytes_max=10) == b"hush"
    assert read_secret(file, bytes_max=2) == b"hu"

    replace_secret(file, b"hush now")

    assert read_secret(file, bytes_max=10) == b"hush now"
    assert list(file.parent.iterdir()) == [file]


def test_a_key_is_written_once_in_digits(tmp_path: Path) -> None:
    write_key(tmp_path / "key", KEY)

    assert read_key(tmp_path / "key") == KEY
    with pytest.raises(FileExistsError):
        write_key(tmp_path / "key", bytes(32))
    assert read_key(tmp_path / "key") == KEY
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("umask", [0, 0o077, 0o277])
def test_only_its_owner_reads_what_is_written(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        create_secret(tmp_path / "one", b"hush")
        replace_secret(tmp_path / "other", b"hush")
    finally:
        os.umask(before)

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o400, 0o700, 0o777])
def test_a_file_of_another_mode_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)

    with pytest.raises(KeyFileRefused, match=f"has mode {mode:04o} instead of 0600"):
        read_secret(file, bytes_max=10)


def test_what_is_no_file_of_its_own_is_refused(file: Path) -> None:
    folder = file.parent
    (folder / "link").symlink_to(file)
    (folder / "folder").mkdir(mode=0o600)
    os.mkfifo(folder / "pipe", 0o600)

    for name in ("link", "folder", "pipe", "missing"):
        with pytest.raises(KeyFileRefused):
            read_secret(folder / name, bytes_max=10)


def test_a_refusal_leaves_nothing_open(file: Path) -> None:
    (file.parent / "folder").mkdir(mode=0o600)
    file.chmod(0o644)
    before = descriptors()

    for path in (file.parent / "folder", file, file.parent / "missing"):
        with pytest.raises(KeyFileRefused):
            read_secret(path, bytes_max=10)

    assert descriptors() == before


@pytest.mark.parametrize(
    "text", ["", "zz" * 32, "ab" * 31, "ab" * 33, "gehéim", "0x0x" + "a" * 64]
)
def test_what_holds_no_key_is_refused_and_not_quoted(tmp_path: Path, text: str) -> None:
    create_secret(tmp_path / "key", text.encode())

    with pytest.raises(KeyFileRefused, match="does not hold a key") as refusal:
        read_key(tmp_path / "key")

    assert not text or text not in str(refusal.value)
    assert refusal.value.__context__ is None


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from adapters.system.secret_files import replace_secret
left = int(sys.argv[2])
def count(event, _):
    global left
    if event in ("open", "os.rename", "os.chmod"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
replace_secret(Path(sys.argv[1]), b"new" * 1000)
"""


def test_a_kill_at_any_step_leaves_the_old_content_or_the_new(file: Path) -> None:
    seen = set()
    for step in range(20):
        replace_secret(file, b"old")
        done = subprocess.run(  # noqa: S603 (our own interpreter)
            [sys.executable, "-c", KILLED_AT, file, str(step)], cwd=ROOT, check=False
        )
        content = read_secret(file, bytes_max=10_000)
        seen.add(content)
        assert content in {b"old", b"new" * 1000}
        assert {path.name for path in file.parent.iterdir() if DRAFT not in path.name} == {
            "secret"
        }
        if done.returncode != -signal.SIGKILL:
            break

    assert done.returncode == 0
    assert seen == {b"old", b"new" * 1000}
