"""One key of a keystore as a file: JSON, of which every member is bound to the encrypted key.

    {"version": 1, "id": "hot", "purpose": "hot-wallet", "family": "eip155", "public": "0x…",
     "cipher": "AES-256-GCM", "nonce": "…", "ciphertext": "…", "tag": "…",
     "data_key": {"wrapper": "2026-11", "wrapped": "…"}}

Binary members are hexadecimal digits, lower case. What the key is for, whose it is and how it is
written down is authenticated twice: with the key under its data key, and with the data key under
the key that wraps it.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import attrs

from adapters.keys.sealing import Sealed, context_bytes

VERSION: Final = 1
CIPHER: Final = "AES-256-GCM"
ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""Names of keys, which are names of files as well."""

_LABEL = re.compile(r"[\x21-\x7e]{1,200}")
_HEX = re.compile(r"(?:[0-9a-f]{2}){1,2000}")
_MEMBERS: Final = {
    "version", "id", "purpose", "family", "public", "cipher", "nonce", "ciphertext", "tag",
    "data_key",
}  # fmt: skip


@attrs.frozen
class MalformedEntry(ValueError):
    """The file is not one of a key as this version of the program writes it."""

    why: str

    def __str__(self) -> str:
        return self.why


@attrs.frozen(kw_only=True)
class KeyLabel:
    """What a key is: no secret, and bound to it."""

    id: str
    purpose: str
    """What it may be used for: ``hot-wallet``, ``deposits``, ``statements``."""
    family: str
    """The chains it is for, by the namespace of CAIP-2; ``none`` for none."""
    public: str
    """The address or public key that it belongs to."""

    @property
    def context(self) -> dict[str, str]:
        """Everything that the key is bound to, by name."""
        return {
            "switchyard:cipher": CIPHER,
            "switchyard:family": self.family,
            "switchyard:key": self.id,
            "switchyard:public": self.public,
            "switchyard:purpose": self.purpose,
            "switchyard:version": str(VERSION),
        }

    @property
    def bound(self) -> bytes:
        """The same as the associated data of AES-GCM."""
        return context_bytes(self.context)


@attrs.frozen(kw_only=True)
class Entry:
    """A key in a keystore, encrypted."""

    label: KeyLabel
    sealed: Sealed
    wrapper: str
    """The name of the key that has wrapped the data key."""
    wrapped: bytes

    def written(self) -> bytes:
        """Return the file's content."""
        members = {
            "version": VERSION,
            **attrs.asdict(self.label),
            "cipher": CIPHER,
            "nonce": self.sealed.nonce.hex(),
            "ciphertext": self.sealed.ciphertext.hex(),
            "tag": self.sealed.tag.hex(),
            "data_key": {"wrapper": self.wrapper, "wrapped": self.wrapped.hex()},
        }
        return (json.dumps(members, indent=2) + "\n").encode("ascii")

    @classmethod
    def read(cls, content: bytes) -> Entry:
        """Read what `written` returned, and nothing else.

        Raises:
            MalformedEntry: it is of another version or cipher, or has another form.
        """
        try:
            members = json.loads(content, object_pairs_hook=_no_member_twice)
        except (ValueError, RecursionError):
            raise MalformedEntry("is no JSON") from None
        if not isinstance(members, dict):
            raise MalformedEntry("is no key of a keystore")
        # Before all else, so that a later program's file is called what it is.
        if type(members.get("version")) is not int or members["version"] != VERSION:
            raise MalformedEntry(f"is of version {members.get('version')!r:.20}, not {VERSION}")
        if members.get("cipher") != CIPHER:
            raise MalformedEntry(f"is encrypted with {members.get('cipher')!r:.40}, not {CIPHER}")
        if set(members) != _MEMBERS or not isinstance(members["data_key"], dict):
            raise MalformedEntry("has other members than a key has")
        if set(members["data_key"]) != {"wrapper", "wrapped"}:
            raise MalformedEntry("has other members than a key has")
        label = KeyLabel(
            id=_text(members["id"], ID, "id"),
            purpose=_text(members["purpose"], _LABEL, "purpose"),
            family=_text(members["family"], _LABEL, "family"),
            public=_text(members["public"], _LABEL, "public"),
        )
        sealed = Sealed(*(_octets(members[name], name) for name in ("nonce", "ciphertext", "tag")))
        data_key = members["data_key"]
        wrapper = _text(data_key["wrapper"], _LABEL, "wrapper")
        wrapped = _octets(data_key["wrapped"], "wrapped")
        return cls(label=label, sealed=sealed, wrapper=wrapper, wrapped=wrapped)


def _text(value: object, pattern: re.Pattern[str], name: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise MalformedEntry(f"has a member {name} that is none")
    return value


def _octets(value: object, name: str) -> bytes:
    return bytes.fromhex(_text(value, _HEX, name))


def _no_member_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Take no object that two readers could read in two ways."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members
