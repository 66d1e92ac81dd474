"""``switchyard keys``: made, kept, listed, wrapped again and verified, and never shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import tomli_w
from click.testing import Result

from adapters.evm.signer import LocalSigner
from adapters.evm.wallet_seed import account_xprv, account_xpub
from adapters.keys.ed25519 import Ed25519Signer
from adapters.system.secret_files import create_secret, replace_secret, write_key
from config.keystores import KINDS, custody, load_keystore

KEY = bytes(range(1, 33))


@attrs.frozen
class Desk:
    """A keystore's settings, and a command line over it."""

    folder: Path
    switchyard: Callable[..., Result]

    @property
    def settings(self) -> Path:
        return self.folder / "settings.toml"

    def configure(self, *, wrap_with: str, names: tuple[str, ...] = ("old", "new")) -> None:
        wrappers = [
            {"name": name, "kind": "file", "file": str(self.folder / name)} for name in names
        ]
        keystore = {
            "directory": str(self.folder / "keys"),
            "wrap_with": wrap_with,
            "wrappers": wrappers,
        }
        # Other tables of the file are nobody's concern here.
        self.settings.write_text(tomli_w.dumps({"keystore": keystore, "signer": {"any": 1}}))

    def __call__(self, *arguments: str) -> Result:
        return self.switchyard("keys", *arguments, "--settings", str(self.settings))

    def create(self, id: str, kind: str) -> Result:
        family, purpose = kind.split("/")
        return self("create", id, "--family", family, "--purpose", purpose)

    def bring(self, id: str, file: Path, kind: str) -> Result:
        family, purpose = kind.split("/")
        return self("import", id, str(file), "--family", family, "--purpose", purpose)


@pytest.fixture
def keys(tmp_path: Path, switchyard: Callable[..., Result]) -> Desk:
    desk = Desk(tmp_path, switchyard)
    (tmp_path / "keys").mkdir(mode=0o700)
    for name in ("old", "new"):
        assert switchyard("keys", "new-wrapper", str(tmp_path / name)).exit_code == 0
    desk.configure(wrap_with="old")
    return desk


@pytest.mark.parametrize("kind", ["/".join(kind) for kind in KINDS])
def test_a_new_key_of_every_kind_opens_again(keys: Desk, kind: str) -> None:
    made = keys.create("one", kind)

    assert made.exit_code == 0, made.output
    assert keys("export-public", "one").output == made.output
    label, secret = custody(load_keystore(keys.settings)).keystore.open("one")
    assert f"{label.family}/{label.purpose}" == kind
    assert label.public == made.output.strip()
    assert secret.hex() not in made.output


def test_two_new_keys_are_two(keys: Desk) -> None:
    made = {keys.create(f"k{number}", "eip155/hot-wallet").output for number in range(4)}

    assert len(made) == 4


def test_a_key_in_a_file_is_kept(keys: Desk, tmp_path: Path) -> None:
    write_key(tmp_path / "hot", KEY)
    create_secret(tmp_path / "xprv", account_xprv(bytes(64)).encode() + b"\n")

    hot = keys.bring("hot", tmp_path / "hot", "eip155/hot-wallet")
    sweep = keys.bring("sweep", tmp_path / "xprv", "eip155/deposits")
    papers = keys.bring("papers", tmp_path / "hot", "none/statements")

    assert hot.output.strip() == LocalSigner(KEY, chain_id=1).address
    assert sweep.output.strip() == account_xpub(bytes(64))
    assert papers.output.strip() == Ed25519Signer(KEY).public_key
    assert keys("verify").exit_code == 0


@pytest.mark.parametrize("kind", ["eip155/hot-wallet", "eip155/deposits", "ton/deposits"])
def test_what_is_no_key_is_not_kept_and_not_shown(keys: Desk, tmp_path: Path, kind: str) -> None:
    create_secret(tmp_path / "file", b"correct horse battery staple")

    refused = keys.bring("one", tmp_path / "file", kind)

    assert refused.exit_code == 1
    assert "cannot be trusted or read" in refused.output
    assert "horse" not in refused.output
    assert keys("list").output == ""


def test_a_kind_that_is_none_and_a_name_that_is_taken_are_refused(keys: Desk) -> None:
    assert keys.create("one", "ton/statements").exit_code == 1
    assert keys.create("../one", "ton/deposits").exit_code == 1
    assert keys.create("one", "ton/deposits").exit_code == 0
    again = keys.create("one", "ton/deposits")

    assert again.exit_code == 1
    assert "never overwritten: one" in again.output


def test_the_list_tells_whose_keys_they_are(keys: Desk) -> None:
    public = keys.create("hot", "eip155/hot-wallet").output.strip()

    assert keys("list").output.split() == ["hot", "eip155", "hot-wallet", "old", public]


def test_rotation_wraps_every_key_again(keys: Desk) -> None:
    made = [keys.create(id, "eip155/hot-wallet").output for id in ("a", "b")]
    before = encrypted(keys)
    keys.configure(wrap_with="new")

    first, second = keys("rewrap"), keys("rewrap")

    assert first.output == "a is wrapped by new\nb is wrapped by new\n"
    assert second.output == "a is wrapped by new already\nb is wrapped by new already\n"
    assert encrypted(keys) == before
    keys.configure(wrap_with="new", names=("new",))
    assert [keys("export-public", id).output for id in ("a", "b")] == made


def test_one_key_that_does_not_open_keeps_no_other_from_rotation(keys: Desk) -> None:
    keys.create("a", "ton/hot-wallet")
    keys.create("b", "ton/hot-wallet")
    replace_secret(keys.folder / "keys" / "a.json", b"{}")
    keys.configure(wrap_with="new")

    done = keys("rewrap")

    assert done.exit_code == 1
    assert "b is wrapped by new" in done.output
    assert "is of version" in done.output


def test_verify_names_what_is_wrong_and_what_was_left_behind(keys: Desk) -> None:
    keys.create("a", "ton/hot-wallet")
    (keys.folder / "keys" / ".draft-1").touch(mode=0o600)
    fine = keys("verify")
    content = json.loads((keys.folder / "keys" / "a.json").read_bytes())
    content["family"] = "eip155"
    replace_secret(keys.folder / "keys" / "a.json", json.dumps(content).encode())
    wrong = keys("verify")

    assert fine.exit_code == 0
    assert "never finished" in fine.output
    assert wrong.exit_code == 1
    assert "does not open with old" in wrong.output


def test_a_key_under_the_label_of_another_is_found(keys: Desk) -> None:
    """Somebody with the wrapping key, but without care, has kept it so."""
    desk = custody(load_keystore(keys.settings))
    keys.create("a", "eip155/hot-wallet")
    label, _ = desk.keystore.open("a")
    desk.keystore.create(attrs.evolve(label, id="b"), KEY, wrapper="old")

    assert "is not the key of" in keys("verify").output
    assert keys("verify", "a").exit_code == 0


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (None, "keystore is needed"),
        ({"directory": "k", "wrap_with": "old", "wrappers": []}, "wrappers"),
        (
            {"wrap_with": "none", "wrappers": [{"name": "a", "kind": "file", "file": "k"}]},
            "none of",
        ),
        ({"wrappers": [{"name": "old", "kind": "file"}]}, "needs file"),
        ({"wrappers": [{"name": "old", "kind": "vault", "key": "k", "file": "f"}]}, "needs url"),
        (
            {"wrappers": [{"name": "old", "kind": "file", "file": "k", "url": "https://a"}]},
            "no url",
        ),
        ({"wrappers": [{"name": "old", "kind": "aws-kms", "key": "k"}]}, "needs region"),
        ({"wrappers": [{"name": "old", "kind": "rot13"}]}, "kind"),
    ],
)
def test_settings_that_cannot_be_are_told(
    keys: Desk, table: dict[str, Any] | None, why: str
) -> None:
    full = None if table is None else {"directory": "k", "wrap_with": "old", **table}
    keys.settings.write_text(tomli_w.dumps({} if full is None else {"keystore": full}))

    told = keys("list")

    assert told.exit_code == 2
    assert why in told.output


def encrypted(keys: Desk) -> list[dict[str, Any]]:
    """Return every key's file without its wrapped data key."""
    found = []
    for path in sorted((keys.folder / "keys").iterdir()):
        content = json.loads(path.read_bytes())
        del content["data_key"]
        found.append(content)
    return found
