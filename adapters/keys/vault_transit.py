"""A key that wraps and never leaves HashiCorp Vault's transit engine.

https://developer.hashicorp.com/vault/api-docs/secret/transit: ``POST /v1/transit/encrypt/<key>``
and ``decrypt``, for a key of the type ``aes256-gcm96``. The context is ``associated_data``, which
keys of this type authenticate; ``context`` would be for keys that derive others. A key that Vault
itself has rotated opens what its older versions have wrapped.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlsplit

from adapters.keys.sealing import KEY_BYTES, context_bytes
from adapters.system.secret_files import KeyFileRefused, read_secret
from ports.key_wrapper import KeyWrapperUnavailable, WrappedKeyRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOUNT: Final = "transit"
ANSWER_BYTES_MAX: Final = 65_536
TOKEN_BYTES_MAX: Final = 4_096

_WRAPPED = re.compile(rb"vault:v[0-9]{1,9}:[A-Za-z0-9+/]{1,1000}={0,2}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_OK: Final = 200
_DENIALS: Final = {400, 500}
"""Some releases say 500 to another context (https://github.com/hashicorp/vault/issues/10842)."""
_NOT_OURS: Final = (
    "message authentication failed",
    "invalid ciphertext",
    "ciphertext or signature version",
    "illegal base64 data",
)
"""What Vault says to bytes that it has not wrapped: its own words, and those of Go's cipher."""


class VaultTransitKeyWrapper:
    """Wraps by asking Vault; implements `ports.key_wrapper.KeyWrapper`."""

    def __init__(
        self, name: str, *, key: str, url: str, token: str, timeout_seconds: float = 5.0
    ) -> None:
        """Take a key's name there, and the token that may use it; nobody is asked yet."""
        self.name = name
        self._key: Final = quote(key, safe="")
        self._url: Final = urlsplit(url)
        self._token: Final = token
        self._timeout_seconds: Final = timeout_seconds

    @classmethod
    def from_file(
        cls, name: str, path: Path, *, key: str, url: str, timeout_seconds: float = 5.0
    ) -> Self:
        """Read the token from a file of mode 0600.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds something else.
        """
        token = read_secret(path, bytes_max=TOKEN_BYTES_MAX).decode("ascii", "replace").strip()
        if not _TOKEN.fullmatch(token):
            raise KeyFileRefused(path, "does not hold a token")
        return cls(name, key=key, url=url, token=token, timeout_seconds=timeout_seconds)

    def __repr__(self) -> str:
        return f"VaultTransitKeyWrapper({self.name!r})"

    def __reduce__(self) -> str:
        raise TypeError("a token stays in its process")

    def wrap(self, data_key: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return a data key, encrypted and bound to a context: Vault's own text of it.

        Raises:
            KeyWrapperUnavailable: Vault did not answer, is sealed, or would not.
        """
        answer = self._ask("encrypt", {"plaintext": _base64(data_key)}, context)
        wrapped = str(answer.get("ciphertext")).encode("ascii", "replace")
        if not _WRAPPED.fullmatch(wrapped):
            raise KeyWrapperUnavailable(self.name, "an answer without a ciphertext")
        return wrapped

    def unwrap(self, wrapped: bytes, *, context: Mapping[str, str]) -> bytes:
        """Return the data key.

        Raises:
            WrappedKeyRefused: it was not wrapped by this key, or not under this context.
            KeyWrapperUnavailable: Vault did not answer, is sealed, or would not.
        """
        if not _WRAPPED.fullmatch(wrapped):
            raise WrappedKeyRefused(self.name)
        answer = self._ask("decrypt", {"ciphertext": wrapped.decode("ascii")}, context)
        try:
            data_key = base64.b64decode(str(answer.get("plaintext")), validate=True)
        except ValueError:
            data_key = b""
        if len(data_key) != KEY_BYTES:
            raise KeyWrapperUnavailable(self.name, "an answer without a data key")
        return data_key

    def _ask(
        self, operation: str, arguments: dict[str, str], context: Mapping[str, str]
    ) -> Mapping[str, Any]:
        body = json.dumps(arguments | {"associated_data": _base64(context_bytes(context))})
        try:
            status, answer = self._post(f"/v1/{MOUNT}/{operation}/{self._key}", body)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            # Not chained: what went wrong may quote what was sent.
            raise KeyWrapperUnavailable(self.name, type(error).__name__) from None
        if status in _DENIALS and _says(answer, _NOT_OURS):
            raise WrappedKeyRefused(self.name)
        told = answer.get("data")
        if status != _OK or not isinstance(told, dict):
            raise KeyWrapperUnavailable(self.name, f"HTTP {status}")
        return told

    def _post(self, path: str, body: str) -> tuple[int, dict[str, Any]]:
        connection = self._connection()
        try:
            # An agent of Vault's may insist on this header, which no forged link can set.
            headers = {
                "Content-Type": "application/json",
                "X-Vault-Request": "true",
                "X-Vault-Token": self._token,
            }
            connection.request("POST", self._url.path.rstrip("/") + path, body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read(ANSWER_BYTES_MAX))
        finally:
            connection.close()
        if not isinstance(answer, dict):
            raise ValueError("no object")  # noqa: TRY004 (what was read, not what was passed)
        return response.status, answer

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "https":
            return http.client.HTTPSConnection(
                host, port, timeout=self._timeout_seconds, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(host, port, timeout=self._timeout_seconds)


def _says(answer: Mapping[str, Any], texts: tuple[str, ...]) -> bool:
    said = " ".join(map(str, answer.get("errors") or ()))
    return any(text in said for text in texts)


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
