"""A folder of encrypted keys, a file each: envelope encryption, and rotation by wrapping again.

Each key is encrypted with a random data key of its own, and that by a key that lies elsewhere. So
a copy of the folder tells nothing, and a new wrapping key touches no key that signs.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from adapters.keys.entries import ID, Entry, MalformedEntry
from adapters.keys.sealing import KEY_BYTES, NotAuthentic, open_sealed, seal
from adapters.system.secret_files import DRAFT, create_secret, read_secret, replace_secret
from ports.key_wrapper import KeyWrapper, WrappedKeyRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.keys.entries import KeyLabel

SUFFIX: Final = ".json"
FILE_BYTES_MAX: Final = 16_384


@attrs.frozen
class KeystoreRefused(Exception):
    """A key of the keystore cannot be trusted or opened; what is in it is never told."""

    path: Path
    why: str


@attrs.frozen
class NoSuchKey(Exception):
    """The keystore has no key of this name."""

    id: str


@attrs.frozen
class KeyExists(Exception):
    """There is a key of this name; a key is never overwritten."""

    id: str


@attrs.frozen
class Keystore:
    """The folder, and what opens it: the wrapping keys that this process may use, by name."""

    directory: Path
    wrappers: Mapping[str, KeyWrapper]

    def create(self, label: KeyLabel, secret: bytes, *, wrapper: str) -> None:
        """Keep a key under a label.

        Raises:
            MalformedEntry: the label is none, or the secret is longer than one is.
            KeyExists: there is one of this name.
            KeystoreRefused: there is no such wrapping key.
            KeyWrapperUnavailable: the wrapping key is somewhere that does not answer.
        """
        if not ID.fullmatch(label.id):
            raise MalformedEntry("has a name that is none: a-z, 0-9 and hyphens make one")
        path = self._path(label.id)
        wrapping = self._wrapper(wrapper, path)
        data_key = secrets.token_bytes(KEY_BYTES)
        entry = Entry(
            label=label,
            sealed=seal(data_key, secret, bound_to=label.bound),
            wrapper=wrapper,
            wrapped=wrapping.wrap(data_key, context=label.context),
        )
        content = entry.written()
        # What could not be read again must not be taken for kept.
        Entry.read(content)
        try:
            create_secret(path, content)
        except FileExistsError:
            raise KeyExists(label.id) from None

    def open(self, id: str) -> tuple[KeyLabel, bytes]:
        """Return a key, and the label that it was kept under.

        Raises:
            NoSuchKey: there is none of this name.
            KeyFileRefused: its file cannot be trusted.
            KeystoreRefused: its file was changed, is of another version, or was wrapped by a key
                that this process does not have.
            KeyWrapperUnavailable: the wrapping key is somewhere that does not answer.
        """
        path, entry = self._read(id)
        data_key = self._data_key(entry, path)
        try:
            return entry.label, open_sealed(data_key, entry.sealed, bound_to=entry.label.bound)
        except NotAuthentic:
            raise KeystoreRefused(path, "was changed") from None

    def ids(self) -> Sequence[str]:
        """Return the names of all keys, in order."""
        return sorted(path.name.removesuffix(SUFFIX) for path in self.directory.glob(f"*{SUFFIX}"))

    def entry(self, id: str) -> Entry:
        """Return a key as it lies in the folder, opened by nobody.

        Raises:
            NoSuchKey: there is none of this name.
            KeyFileRefused, KeystoreRefused: its file cannot be trusted, or is of another form.
        """
        return self._read(id)[1]

    def rewrap(self, id: str, *, wrapper: str) -> bool:
        """Have another wrapping key wrap a key's data key; the encrypted key stays as it is.

        The file is replaced whole or not at all, and opens before, after and meanwhile.

        Returns:
            Whether there was anything to do.

        Raises:
            KeystoreRefused: it does not open, or there is no such wrapping key. It is unchanged.
            NoSuchKey, KeyFileRefused, KeyWrapperUnavailable: as for `open`.
        """
        path, entry = self._read(id)
        wrapping = self._wrapper(wrapper, path)
        if entry.wrapper == wrapper:
            return False
        data_key = self._data_key(entry, path)
        # Not before the key itself has opened: what is spoilt must not look like new.
        self.open(id)
        context = entry.label.context
        fresh = attrs.evolve(
            entry, wrapper=wrapper, wrapped=wrapping.wrap(data_key, context=context)
        )
        if wrapping.unwrap(fresh.wrapped, context=context) != data_key:
            raise KeystoreRefused(path, f"cannot be wrapped by {wrapper}")
        replace_secret(path, fresh.written())
        return True

    def leftovers(self) -> Sequence[Path]:
        """Return drafts of files that were never finished, for a person to delete."""
        return sorted(self.directory.glob(f"{DRAFT}*"))

    def _read(self, id: str) -> tuple[Path, Entry]:
        if not ID.fullmatch(id):
            raise NoSuchKey(id)
        path = self._path(id)
        if not path.exists():
            raise NoSuchKey(id)
        try:
            entry = Entry.read(read_secret(path, bytes_max=FILE_BYTES_MAX))
        except MalformedEntry as error:
            raise KeystoreRefused(path, str(error)) from None
        if entry.label.id != id:
            raise KeystoreRefused(path, f"holds the key {entry.label.id}")
        return path, entry

    def _data_key(self, entry: Entry, path: Path) -> bytes:
        wrapping = self._wrapper(entry.wrapper, path)
        try:
            data_key = wrapping.unwrap(entry.wrapped, context=entry.label.context)
        except WrappedKeyRefused:
            raise KeystoreRefused(path, f"does not open with {entry.wrapper}") from None
        if len(data_key) != KEY_BYTES:
            raise KeystoreRefused(path, "has a data key of another length")
        return data_key

    def _wrapper(self, name: str, path: Path) -> KeyWrapper:
        wrapping = self.wrappers.get(name)
        if wrapping is None:
            raise KeystoreRefused(path, f"needs the wrapping key {name}, which is not configured")
        return wrapping

    def _path(self, id: str) -> Path:
        return self.directory / f"{id}{SUFFIX}"
