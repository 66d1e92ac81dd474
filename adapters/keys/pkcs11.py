"""Keys of secp256k1 that never leave a token: PKCS#11 (the extra ``pkcs11``)."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from adapters.keys.extras import optional
from adapters.system.secret_files import KeyFileRefused, read_secret
from ports.signer import SignerUnavailable

if TYPE_CHECKING:
    from types import ModuleType

EXTRA: Final = "pkcs11"
SECP256K1: Final = bytes.fromhex("06052b8104000a")
"""``CKA_EC_PARAMS``: DER of the curve's name, 1.3.132.0.10 (SEC 2)."""
POINT_BYTES: Final = 65
DIGEST_BYTES: Final = 32
PIN_BYTES_MAX: Final = 200

_OCTETS: Final = b"\x04\x41"
"""DER of an OCTET STRING of 65 bytes, in which PKCS#11 2.40 wraps ``CKA_EC_POINT``."""


@attrs.frozen
class TokenRefused(Exception):
    """The token, its PIN or the key in it is not what the settings say."""

    token: str
    why: str


@attrs.frozen(kw_only=True)
class TokenPlace:
    """Where a key is: the vendor's library, a token in it, and the key's label there."""

    library: Path
    token: str
    key: str
    pin: str = attrs.field(repr=False)

    def __reduce__(self) -> str:
        raise TypeError("a PIN stays in its process")

    @staticmethod
    def read_pin(path: Path) -> str:
        """Read a PIN from a file of mode 0600.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds none.
        """
        pin = read_secret(path, bytes_max=PIN_BYTES_MAX).decode("utf-8", "replace").strip()
        if not pin:
            raise KeyFileRefused(path, "does not hold a PIN")
        return pin


class TokenKey:
    """Signs digests inside a token; implements `ports.signer.DigestSigner`."""

    def __init__(self, place: TokenPlace) -> None:
        """Open the token and find the key.

        Raises:
            ExtraMissing: python-pkcs11 is not installed.
            TokenRefused: there is no such token or key, or the PIN is another.
        """
        self._pkcs11: Final = optional("pkcs11", extra=EXTRA)
        self._place: Final = place
        # A session does one thing at a time.
        self._lock: Final = threading.Lock()
        self._key, self.public_key = self._open()

    def __repr__(self) -> str:
        return f"TokenKey({self._place.token!r}, {self._place.key!r})"

    def __reduce__(self) -> str:
        raise TypeError("a session stays in its process")

    def sign_digest(self, digest: bytes) -> bytes:
        """Return r and s, 32 bytes each, as the token has made them: s may be high.

        Raises:
            ValueError: the digest has another length.
            SignerUnavailable: the token does not sign, not even in a new session.
        """
        if len(digest) != DIGEST_BYTES:
            raise ValueError(f"a digest has {DIGEST_BYTES} bytes")
        with self._lock:
            try:
                return self._sign(digest)
            except self._pkcs11.PKCS11Error:
                # A token that was taken out and put in again has forgotten its sessions.
                return self._sign_anew(digest)

    def _sign(self, digest: bytes) -> bytes:
        return bytes(self._key.sign(digest, mechanism=self._pkcs11.Mechanism.ECDSA))

    def _sign_anew(self, digest: bytes) -> bytes:
        try:
            self._key, public = self._open()
            signature = self._sign(digest)
        except (self._pkcs11.PKCS11Error, TokenRefused) as error:
            raise SignerUnavailable(f"the token does not sign: {type(error).__name__}") from error
        if public != self.public_key:
            raise SignerUnavailable("the token has another key now")
        return signature

    def _open(self) -> tuple[Any, bytes]:
        pkcs11, place = self._pkcs11, self._place
        try:
            library = pkcs11.lib(str(place.library))
            session = _session(pkcs11, library.get_token(token_label=place.token), place.pin)
            kinds = pkcs11.ObjectClass
            key = session.get_key(object_class=kinds.PRIVATE_KEY, label=place.key)
            public = session.get_key(object_class=kinds.PUBLIC_KEY, label=place.key)
            curve = bytes(public[pkcs11.Attribute.EC_PARAMS])
            point = bytes(public[pkcs11.Attribute.EC_POINT]).removeprefix(_OCTETS)
        except (pkcs11.PKCS11Error, RuntimeError, ValueError) as error:
            # Not chained, and only its kind: a message could tell the PIN's length, or more.
            raise TokenRefused(place.token, type(error).__name__) from None
        if curve != SECP256K1 or len(point) != POINT_BYTES:
            raise TokenRefused(place.token, f"{place.key} is no key of secp256k1")
        return key, point


def create_token_key(place: TokenPlace) -> bytes:
    """Make a key in a token, which does not give it away; return its public point, 65 bytes.

    Raises:
        ExtraMissing: python-pkcs11 is not installed.
        TokenRefused: there is no such token, it has a key of this label, or the PIN is another.
    """
    pkcs11: Any = optional("pkcs11", extra=EXTRA)
    try:
        token = pkcs11.lib(str(place.library)).get_token(token_label=place.token)
        session = _session(pkcs11, token, place.pin, writes=True)
        if any(session.get_objects({pkcs11.Attribute.LABEL: place.key})):
            raise TokenRefused(place.token, f"has a key {place.key}")
        curve = session.create_domain_parameters(
            pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: SECP256K1}, local=True
        )
        attribute = pkcs11.Attribute
        public, _ = curve.generate_keypair(
            store=True,
            label=place.key,
            private_template={attribute.EXTRACTABLE: False, attribute.SENSITIVE: True},
        )
        return bytes(public[attribute.EC_POINT]).removeprefix(_OCTETS)
    except pkcs11.PKCS11Error as error:
        raise TokenRefused(place.token, type(error).__name__) from None


def _session(pkcs11: ModuleType, token: Any, pin: str, *, writes: bool = False) -> Any:  # noqa: ANN401 (an optional package's)
    """Open a session; another one of this process may have logged in already."""
    try:
        return token.open(rw=writes, user_pin=pin)
    except pkcs11.UserAlreadyLoggedIn:
        return token.open(rw=writes)
