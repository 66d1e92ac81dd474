from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from adapters.keys.entries import KeyLabel, MalformedEntry
from adapters.keys.keystore import KeyExists, Keystore, KeystoreRefused, NoSuchKey
from adapters.keys.local_wrappers import FileKeyWrapper, create_wrapping_key
from adapters.system.secret_files import KeyFileRefused, replace_secret

ROOT = Path(__file__).parents[3]
SECRET = bytes(range(1, 33))
HOT = KeyLabel(id="hot", purpose="hot-wallet", family="eip155", public="0x" + "1" * 40)
SWEEP = KeyLabel(id="sweep", purpose="deposits", family="eip155", public="xpub661")


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    """Keys under the wrapping key ``old``; there is another, ``new``, beside it."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    wrappers = {}
    for name in ("old", "new"):
        create_wrapping_key(tmp_path / name)
        wrappers[name] = FileKeyWrapper.from_file(name, tmp_path / name)
    keystore = Keystore(folder, wrappers)
    keystore.create(HOT, SECRET, wrapper="old")
    keystore.create(SWEEP, b"xprv9", wrapper="old")
    return keystore


def members(keystore: Keystore, id: str = "hot") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((keystore.directory / f"{id}.json").read_bytes())
    return content


def rewritten(keystore: Keystore, content: dict[str, Any], id: str = "hot") -> None:
    replace_secret(keystore.directory / f"{id}.json", json.dumps(content).encode())


def flipped(digits: str, at: int) -> str:
    return f"{digits[:at]}{int(digits[at], 16) ^ 1:x}{digits[at + 1 :]}"


def test_what_was_kept_is_opened(keystore: Keystore) -> None:
    assert keystore.open("hot") == (HOT, SECRET)
    assert keystore.open("sweep") == (SWEEP, b"xprv9")
    assert [keystore.entry(id).label for id in keystore.ids()] == [HOT, SWEEP]


def test_nothing_that_is_kept_lies_open(keystore: Keystore) -> None:
    for path in keystore.directory.iterdir():
        content = path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
        assert SECRET not in content
        assert SECRET.hex().encode() not in content
        assert b"xprv9" not in content
    assert members(keystore)["nonce"] != members(keystore, "sweep")["nonce"]
    assert SECRET.hex() not in repr(keystore)


def test_a_key_is_never_overwritten(keystore: Keystore) -> None:
    with pytest.raises(KeyExists, match="hot"):
        keystore.create(HOT, bytes(32), wrapper="new")

    assert keystore.open("hot") == (HOT, SECRET)


@pytest.mark.parametrize("id", ["", "Hot", "../hot", "hot/", ".hot", "-hot", "h" * 65, "hot.json"])
def test_a_name_leads_nowhere_else(keystore: Keystore, id: str) -> None:
    with pytest.raises(MalformedEntry):
        keystore.create(attrs.evolve(HOT, id=id), SECRET, wrapper="old")
    with pytest.raises(NoSuchKey):
        keystore.open(id)


@pytest.mark.parametrize("secret", [b"", bytes(2_001)])
def test_what_could_not_be_read_again_is_not_kept(keystore: Keystore, secret: bytes) -> None:
    with pytest.raises(MalformedEntry):
        keystore.create(attrs.evolve(HOT, id="more"), secret, wrapper="old")

    assert len(keystore.ids()) == 2


class TestTampering:
    @pytest.mark.parametrize("name", ["nonce", "ciphertext", "tag"])
    @pytest.mark.parametrize("at", [0, -1])
    def test_any_bit_of_the_encrypted_key(self, keystore: Keystore, name: str, at: int) -> None:
        content = members(keystore)
        digits = content[name]
        rewritten(keystore, content | {name: flipped(digits, at % len(digits))})

        with pytest.raises(KeystoreRefused, match="was changed"):
            keystore.open("hot")

    def test_any_bit_of_the_data_key(self, keystore: Keystore) -> None:
        content = members(keystore)
        digits = content["data_key"]["wrapped"]
        for at in range(0, len(digits), 7):
            content["data_key"]["wrapped"] = flipped(digits, at)
            rewritten(keystore, content)
            with pytest.raises(KeystoreRefused, match="does not open with old"):
                keystore.open("hot")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("purpose", "deposits"),
            ("family", "ton"),
            ("public", "0x" + "1" * 39 + "2"),
        ],
    )
    def test_what_a_key_is_bound_to(self, keystore: Keystore, name: str, value: str) -> None:
        rewritten(keystore, members(keystore) | {name: value})

        with pytest.raises(KeystoreRefused, match="does not open"):
            keystore.open("hot")

    def test_one_key_s_file_under_another_s_name(self, keystore: Keystore) -> None:
        rewritten(keystore, members(keystore, "sweep"))
        with pytest.raises(KeystoreRefused, match="holds the key sweep"):
            keystore.open("hot")

        rewritten(keystore, members(keystore, "sweep") | {"id": "hot"})
        with pytest.raises(KeystoreRefused, match="does not open"):
            keystore.open("hot")

    @pytest.mark.parametrize(
        "taken", [["data_key"], ["nonce", "ciphertext", "tag"], ["public", "purpose", "family"]]
    )
    def test_parts_of_two_keys(self, keystore: Keystore, taken: list[str]) -> None:
        other = members(keystore, "sweep")
        rewritten(keystore, members(keystore) | {name: other[name] for name in taken})

        with pytest.raises(KeystoreRefused):
            keystore.open("hot")

    @pytest.mark.parametrize("version", [0, 2, -1, "1", 1.0, True, None])
    def test_another_version(self, keystore: Keystore, version: object) -> None:
        rewritten(keystore, members(keystore) | {"version": version})

        with pytest.raises(KeystoreRefused, match="is of version"):
            keystore.open("hot")

    @pytest.mark.parametrize("cipher", ["none", "AES-128-GCM", "", None, "aes-256-gcm"])
    def test_a_weaker_cipher(self, keystore: Keystore, cipher: object) -> None:
        rewritten(keystore, members(keystore) | {"cipher": cipher})

        with pytest.raises(KeystoreRefused, match="is encrypted with"):
            keystore.open("hot")

    @pytest.mark.parametrize("name", ["new", "none", ""])
    def test_another_wrapping_key(self, keystore: Keystore, name: str) -> None:
        content = members(keystore)
        content["data_key"]["wrapper"] = name
        rewritten(keystore, content)

        with pytest.raises(KeystoreRefused):
            keystore.open("hot")

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{}",
            b"[]",
            b"null",
            b"[" * 9_000,
            b'{"version": 1, "version": 1}',
            b'{"version": 1, "cipher": "AES-256-GCM"}',
            b'{"version": 1, "cipher": "AES-256-GCM", "data_key": []}',
        ],
    )
    def test_what_is_no_key_s_file(self, keystore: Keystore, content: bytes) -> None:
        replace_secret(keystore.directory / "hot.json", content)

        with pytest.raises(KeystoreRefused):
            keystore.open("hot")

    @pytest.mark.parametrize("name", ["id", "nonce", "ciphertext", "tag", "public", "data_key"])
    @pytest.mark.parametrize("value", [None, 1, [], "", "zz", "é", {"wrapper": "old"}])
    def test_members_of_another_form(self, keystore: Keystore, name: str, value: object) -> None:
        rewritten(keystore, members(keystore) | {name: value})

        with pytest.raises(KeystoreRefused):
            keystore.open("hot")

    def test_members_too_many_and_too_few(self, keystore: Keystore) -> None:
        content = members(keystore)
        short = {name: value for name, value in content.items() if name != "tag"}
        for spoilt in (content | {"note": "hello"}, short):
            rewritten(keystore, spoilt)
            with pytest.raises(KeystoreRefused, match="other members"):
                keystore.open("hot")

    def test_a_file_that_others_may_read(self, keystore: Keystore) -> None:
        (keystore.directory / "hot.json").chmod(0o640)

        with pytest.raises(KeyFileRefused, match="0640"):
            keystore.open("hot")


class TestRewrapping:
    def test_it_changes_the_wrapped_key_alone(self, keystore: Keystore) -> None:
        before = members(keystore)

        assert keystore.rewrap("hot", wrapper="new")

        after = members(keystore)
        assert before.pop("data_key") != after.pop("data_key")
        assert before == after
        assert keystore.open("hot") == (HOT, SECRET)

    def test_the_old_wrapping_key_is_not_needed_any_more(self, keystore: Keystore) -> None:
        for id in ("hot", "sweep"):
            keystore.rewrap(id, wrapper="new")
        after = Keystore(keystore.directory, {"new": keystore.wrappers["new"]})
        before = Keystore(keystore.directory, {"old": keystore.wrappers["old"]})

        assert after.open("hot") == (HOT, SECRET)
        with pytest.raises(KeystoreRefused, match="needs the wrapping key new"):
            before.open("hot")

    def test_a_second_time_does_nothing(self, keystore: Keystore) -> None:
        keystore.rewrap("hot", wrapper="new")
        content = members(keystore)

        assert not keystore.rewrap("hot", wrapper="new")
        assert members(keystore) == content

    @pytest.mark.parametrize("name", ["tag", "ciphertext"])
    def test_what_does_not_open_is_left_as_it_is(self, keystore: Keystore, name: str) -> None:
        content = members(keystore)
        rewritten(keystore, content | {name: flipped(content[name], 0)})
        before = members(keystore)

        with pytest.raises(KeystoreRefused):
            keystore.rewrap("hot", wrapper="new")
        assert members(keystore) == before

    def test_an_old_copy_does_not_open_without_the_old_key(self, keystore: Keystore) -> None:
        old = members(keystore)
        keystore.rewrap("hot", wrapper="new")
        rewritten(keystore, old)

        with pytest.raises(KeystoreRefused, match="not configured"):
            Keystore(keystore.directory, {"new": keystore.wrappers["new"]}).open("hot")


REWRAP = """
import os, signal, sys
from pathlib import Path
from adapters.keys.keystore import Keystore
from adapters.keys.local_wrappers import FileKeyWrapper
root, left = Path(sys.argv[1]), int(sys.argv[2])
wrappers = {name: FileKeyWrapper.from_file(name, root / name) for name in ("old", "new")}
keystore = Keystore(root / "keys", wrappers)
def count(event, _):
    global left
    if event in ("open", "os.rename"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
for id in ("hot", "sweep"):
    keystore.rewrap(id, wrapper="new")
"""


def test_a_kill_at_any_step_leaves_every_key_readable(keystore: Keystore, tmp_path: Path) -> None:
    seen = set()
    for step in range(60):
        done = subprocess.run(  # noqa: S603 (our own interpreter)
            [sys.executable, "-c", REWRAP, tmp_path, str(step)], cwd=ROOT, check=False
        )
        assert keystore.open("hot") == (HOT, SECRET)
        assert keystore.open("sweep") == (SWEEP, b"xprv9")
        seen.add(tuple(keystore.entry(id).wrapper for id in keystore.ids()))
        if done.returncode != -signal.SIGKILL:
            break
        for id in ("hot", "sweep"):
            keystore.rewrap(id, wrapper="old")

    assert done.returncode == 0
    assert seen == {("old", "old"), ("new", "old"), ("new", "new")}
    assert keystore.leftovers()
