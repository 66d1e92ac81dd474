"""Settings of keys: where they lie encrypted, what opens them, and where they sign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from config.checks import loopback_or_tls, positive

if TYPE_CHECKING:
    from collections.abc import Iterable

WRAPPER_KINDS: Final = ("file", "passphrase", "aws-kms", "vault")
_NEEDED: Final = {
    "file": {"file"},
    "passphrase": {"file"},
    "aws-kms": {"key", "region"},
    "vault": {"key", "url", "file"},
}
_TAKEN: Final = {kind: set(needed) for kind, needed in _NEEDED.items()} | {
    "aws-kms": {"key", "region", "url"}
}
_SPECIFIC: Final = ("file", "key", "region", "url")


NamedKey: TypeAlias = tuple[str, Path | None, str | None]
"""What a key is for, its file, and its name in the keystore or with the signer."""


@attrs.frozen
class Keys:
    """What derives deposit addresses, and what signs. Only the worker is told the latter."""

    xpub: str
    hot_wallet_file: Path | None = None
    deposit_key_file: Path | None = None
    """The extended private key of ``xpub``. Without it money stays at deposit addresses."""
    hot_wallet_key: str | None = None
    """The key's name, in the keystore or with the signer, in place of a file."""
    deposit_key: str | None = None
    """The same of the extended private key."""

    @property
    def named(self) -> tuple[NamedKey, ...]:
        """Both keys, and how they are named."""
        return (
            ("keys.hot_wallet", self.hot_wallet_file, self.hot_wallet_key),
            ("keys.deposit_key", self.deposit_key_file, self.deposit_key),
        )


@attrs.frozen(kw_only=True)
class WrapperSetting:
    """A key that wraps others, and where it is."""

    name: str = attrs.field(validator=attrs.validators.matches_re(r"[a-z0-9][a-z0-9.-]{0,63}"))
    """What every key that it has wrapped calls it: it is never changed."""
    kind: str = attrs.field(validator=attrs.validators.in_(WRAPPER_KINDS))
    file: Path | None = None
    """A file of mode 0600: with the key, the passphrase, or what Vault knows us by."""
    key: str | None = None
    """The key's name or ARN with AWS, its name in Vault's transit engine."""
    region: str | None = None
    url: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(loopback_or_tls)
    )
    """Where Vault is, or AWS, if not where it is for everybody."""
    timeout_seconds: float = attrs.field(default=5.0, validator=positive)

    def __attrs_post_init__(self) -> None:
        given = {name for name in _SPECIFIC if getattr(self, name) is not None}
        if missing := _NEEDED[self.kind] - given:
            raise ValueError(f"wrapper {self.name} needs {', '.join(sorted(missing))}")
        if unknown := given - _TAKEN[self.kind]:
            raise ValueError(f"wrapper {self.name} has no {', '.join(sorted(unknown))}")


@attrs.frozen(kw_only=True)
class KeystoreSetting:
    """A folder of encrypted keys, and what opens them."""

    directory: Path
    wrappers: tuple[WrapperSetting, ...] = attrs.field(validator=attrs.validators.min_len(1))
    """While keys are wrapped again there are two: the one before, and the one after."""
    wrap_with: str
    """The wrapper of new keys, and of those that are wrapped again."""

    def __attrs_post_init__(self) -> None:
        names = [wrapper.name for wrapper in self.wrappers]
        if len({*names}) != len(names):
            raise ValueError("two wrappers of a keystore have one name")
        if self.wrap_with not in names:
            raise ValueError(f"wrap_with names {self.wrap_with}, which is none of the wrappers")


@attrs.frozen(kw_only=True)
class SignerConnection:
    """How the worker reaches a signer that is a process of its own."""

    socket: Path | None = None
    """A socket of this machine's file system."""
    port: int | None = attrs.field(
        default=None,
        validator=attrs.validators.optional([attrs.validators.ge(0), attrs.validators.le(65535)]),
    )
    """A port of 127.0.0.1, where there are no such sockets."""
    secret_file: Path | None = None
    """A file of mode 0600 with 64 hexadecimal digits that both sides have; needed by a port."""
    timeout_seconds: float = attrs.field(default=5.0, validator=positive)

    def __attrs_post_init__(self) -> None:
        if (self.socket is None) == (self.port is None):
            raise ValueError("signer has either a socket or a port")
        if (self.port is None) != (self.secret_file is None):
            raise ValueError("secret_file is needed by a port, and by it alone")


def check_keys(
    named: Iterable[NamedKey],
    *,
    keystore: KeystoreSetting | None,
    signer: SignerConnection | None,
) -> None:
    """Let a key be named once: by its file, or by its name in the keystore or with the signer.

    Raises:
        ValueError: a key is named twice, or nobody is there to have it, or two are.
    """
    if keystore is not None and signer is not None:
        raise ValueError("keystore is the signer's, where there is one")
    for what, file, name in named:
        if file is not None and name is not None:
            raise ValueError(f"{what} is named by a file and by a name")
        if file is not None and signer is not None:
            raise ValueError(f"{what} is in a file here, although there is a signer")
        if name is not None and keystore is None and signer is None:
            raise ValueError(f"keystore or signer is needed, because one has the {what}")
