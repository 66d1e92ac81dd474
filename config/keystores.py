"""The keystore that settings name: what kinds of keys there are, and what is done with them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from adapters.evm.private_keys import ExtendedPrivateKey, NotAnExtendedPrivateKey
from adapters.evm.signer import LocalSigner, is_key, new_key
from adapters.keys.aws_kms import AwsKmsKeyWrapper
from adapters.keys.ed25519 import Ed25519Signer
from adapters.keys.entries import KeyLabel
from adapters.keys.keystore import Keystore, KeystoreRefused
from adapters.keys.local_wrappers import (
    FileKeyWrapper,
    PassphraseKeyWrapper,
    create_wrapping_key,
)
from adapters.keys.vault_transit import VaultTransitKeyWrapper
from adapters.system.secret_files import KEY_BYTES, KeyFileRefused, read_key, read_secret
from config.keys import KeystoreSetting, WrapperSetting
from config.settings import WrongSettings, structure_as, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ports.key_wrapper import KeyWrapper

HOT_WALLET: Final = "hot-wallet"
DEPOSITS: Final = "deposits"
STATEMENTS: Final = "statements"
_SEED_BYTES: Final = 64
_XPRV_BYTES_MAX: Final = 200


@attrs.frozen
class NoSuchKind(Exception):
    """There are no keys of this purpose in this family."""

    purpose: str
    family: str


@attrs.frozen(kw_only=True)
class KeyKind:
    """How keys of one purpose in one family are made, read and recognised."""

    create: Callable[[], bytes] = attrs.field(repr=False)
    read: Callable[[Path], bytes] = attrs.field(repr=False)
    public: Callable[[bytes], str] = attrs.field(repr=False)
    """Returns what belongs to a key; ValueError where it is none."""


@attrs.frozen(kw_only=True)
class KeptKey:
    """What may be told of a key in the keystore."""

    id: str
    family: str
    purpose: str
    wrapper: str
    public: str


@attrs.frozen
class Custody:
    """What operators do with the keys of a keystore; none of it shows one."""

    keystore: Keystore
    wrap_with: str

    def create(self, id: str, *, purpose: str, family: str) -> str:
        """Make a new key; return its public side.

        Raises:
            NoSuchKind: there are none of this purpose in this family.
            MalformedEntry: the name is none.
            KeyExists: there is one of this name.
            KeyWrapperUnavailable: the wrapping key is somewhere that does not answer.
        """
        return self._keep(id, kind_of(purpose, family).create(), purpose=purpose, family=family)

    def bring(self, id: str, file: Path, *, purpose: str, family: str) -> str:
        """Keep a key that lies in a file; return its public side. The file is left alone.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds something else.
            NoSuchKind, MalformedEntry, KeyExists, KeyWrapperUnavailable: as for `create`.
        """
        secret = kind_of(purpose, family).read(file)
        return self._keep(id, secret, purpose=purpose, family=family)

    def ids(self) -> Sequence[str]:
        """Return the names of all keys, in order."""
        return self.keystore.ids()

    def kept(self, id: str) -> KeptKey:
        """Return what may be told of a key; it is not opened.

        Raises:
            NoSuchKey, KeyFileRefused, KeystoreRefused: there is none, or its file is refused.
        """
        entry = self.keystore.entry(id)
        label = entry.label
        return KeptKey(
            id=label.id,
            family=label.family,
            purpose=label.purpose,
            wrapper=entry.wrapper,
            public=label.public,
        )

    def rewrap(self, id: str) -> bool:
        """Have the wrapper of new keys wrap a key; return whether another one had.

        Raises:
            NoSuchKey, KeyFileRefused, KeystoreRefused, KeyWrapperUnavailable: it is unchanged.
        """
        return self.keystore.rewrap(id, wrapper=self.wrap_with)

    def verify(self, id: str) -> str:
        """Open a key and compare it with what it says of itself; return its public side.

        Raises:
            NoSuchKey, KeyFileRefused, KeystoreRefused, KeyWrapperUnavailable: it does not open,
                or is another key than its file says.
        """
        label, secret = self.keystore.open(id)
        try:
            public = kind_of(label.purpose, label.family).public(secret)
        except (NoSuchKind, ValueError):
            public = ""
        if public != label.public:
            # Not chained: an inner message could tell what the key is.
            path = self.keystore.directory / id
            raise KeystoreRefused(path, f"is not the key of {label.public}") from None
        return public

    def _keep(self, id: str, secret: bytes, *, purpose: str, family: str) -> str:
        public = kind_of(purpose, family).public(secret)
        label = KeyLabel(id=id, purpose=purpose, family=family, public=public)
        self.keystore.create(label, secret, wrapper=self.wrap_with)
        return public


def kind_of(purpose: str, family: str) -> KeyKind:
    """Return how keys of a purpose in a family are dealt with.

    Raises:
        NoSuchKind: there are none.
    """
    try:
        return KINDS[family, purpose]
    except KeyError:
        raise NoSuchKind(purpose, family) from None


def custody(setting: KeystoreSetting) -> Custody:
    """Return the keystore for operators.

    Raises:
        KeyFileRefused: a wrapping key's file is missing, open to others, or holds none.
        ExtraMissing: a wrapping key is where only an optional package leads.
    """
    return Custody(keystore(setting), setting.wrap_with)


def keystore(setting: KeystoreSetting) -> Keystore:
    """Return the keystore with all of its wrapping keys.

    Raises:
        KeyFileRefused: a wrapping key's file is missing, open to others, or holds none.
        ExtraMissing: a wrapping key is where only an optional package leads.
    """
    return Keystore(
        setting.directory, {wrapper.name: _wrapper(wrapper) for wrapper in setting.wrappers}
    )


def load_keystore(file: Path | None) -> KeystoreSetting:
    """Read the table ``keystore`` of a settings file; what else is in it is not looked at.

    Raises:
        WrongSettings: there is no such table, or it is wrong.
    """
    table = tables(file).get("keystore")
    if table is None:
        raise WrongSettings(("settings.keystore is needed to have keys",))
    return structure_as(KeystoreSetting, table, path="settings.keystore")


def create_wrapper_file(file: Path) -> None:
    """Make a new key that wraps, in a new file.

    Raises:
        FileExistsError: there is a file; a key is never overwritten.
    """
    create_wrapping_key(file)


def _wrapper(setting: WrapperSetting) -> KeyWrapper:
    match setting:
        case WrapperSetting(kind="file", file=Path() as file):
            return FileKeyWrapper.from_file(setting.name, file)
        case WrapperSetting(kind="passphrase", file=Path() as file):
            return PassphraseKeyWrapper.from_file(setting.name, file)
        case WrapperSetting(kind="aws-kms", key=str() as key, region=str() as region):
            return AwsKmsKeyWrapper(
                setting.name,
                key=key,
                region=region,
                url=setting.url,
                timeout_seconds=setting.timeout_seconds,
            )
        case WrapperSetting(kind="vault", key=str() as key, url=str() as url, file=Path() as file):
            return VaultTransitKeyWrapper.from_file(
                setting.name, file, key=key, url=url, timeout_seconds=setting.timeout_seconds
            )
        case _:
            raise WrongSettings((f"wrapper {setting.name} is of no known kind",))


def _evm_public(secret: bytes) -> str:
    return LocalSigner(secret, chain_id=1).address


def _read_evm_key(file: Path) -> bytes:
    key = read_key(file)
    if not is_key(key):
        raise KeyFileRefused(file, "does not hold a private key of secp256k1")
    return key


def _new_account() -> bytes:
    master = ExtendedPrivateKey.master(secrets.token_bytes(_SEED_BYTES))
    return master.account(0).xprv().encode("ascii")


def _account_public(secret: bytes) -> str:
    return ExtendedPrivateKey.parse(secret.decode("ascii")).xpub()


def _read_account(file: Path) -> bytes:
    secret = read_secret(file, bytes_max=_XPRV_BYTES_MAX).strip()
    try:
        ExtendedPrivateKey.parse(secret.decode("ascii", "replace"))
    except NotAnExtendedPrivateKey:
        # Not chained: what the file holds may be a secret of another kind.
        raise KeyFileRefused(file, "does not hold an extended private key") from None
    return secret


def _new_seed() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def _ed25519_public(secret: bytes) -> str:
    return Ed25519Signer(secret).public_key


_SEED = KeyKind(create=_new_seed, read=read_key, public=_ed25519_public)

KINDS: Final = {
    ("eip155", HOT_WALLET): KeyKind(create=new_key, read=_read_evm_key, public=_evm_public),
    ("eip155", DEPOSITS): KeyKind(create=_new_account, read=_read_account, public=_account_public),
    ("ton", HOT_WALLET): _SEED,
    ("ton", DEPOSITS): _SEED,
    ("none", STATEMENTS): _SEED,
}
"""All kinds of keys, by family and purpose. TON's wallets follow from public keys."""
