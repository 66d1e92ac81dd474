"""A server that answers as Vault's transit engine does.

No Vault can be installed where these tests run. The forms of the answers are those of the API's
documentation (https://developer.hashicorp.com/vault/api-docs/secret/transit, "Encrypt data" and
"Decrypt data") and of errors that users have reported (hashicorp/vault issue 10842); only what is
encrypted is made up here, with a key of the server's own.
"""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import attrs

from adapters.keys.sealing import NotAuthentic, Sealed, open_sealed, seal

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "hvs.made-up-for-this-test"
PREFIX = "vault:v1:"


@attrs.define
class TransitServer:
    """Two keys, and what goes wrong."""

    keys: dict[str, bytes] = attrs.field(
        factory=lambda: {"gateway": b"\x11" * 32, "other": b"\x22" * 32}
    )
    asked: list[dict[str, Any]] = attrs.field(factory=list)
    denial: int = 400
    """The status that says that something does not open; some releases say 500."""
    failure: tuple[int, bytes] | None = None
    """Answered to everything, if there is one."""
    url: str = ""

    def answer(self, path: str, token: str | None, body: dict[str, Any]) -> tuple[int, bytes]:
        self.asked.append(body)
        if self.failure is not None:
            return self.failure
        if token != TOKEN:
            return 403, _errors("permission denied")
        _, version, mount, operation, name = path.split("/")
        key = self.keys.get(name)
        if (version, mount) != ("v1", "transit") or key is None:
            return 400, _errors("encryption key not found")
        bound = base64.b64decode(body["associated_data"])
        if operation == "encrypt":
            sealed = seal(key, base64.b64decode(body["plaintext"]), bound_to=bound)
            told = PREFIX + base64.b64encode(sealed.packed).decode()
            return 200, _answer({"ciphertext": told, "key_version": 1})
        return self._decrypt(key, body["ciphertext"], bound)

    def _decrypt(self, key: bytes, ciphertext: str, bound: bytes) -> tuple[int, bytes]:
        if not ciphertext.startswith("vault:"):
            return 400, _errors("invalid ciphertext: no prefix")
        if not ciphertext.startswith(PREFIX):
            return 400, _errors("ciphertext or signature version is disallowed by policy")
        try:
            packed = base64.b64decode(ciphertext.removeprefix(PREFIX), validate=True)
        except ValueError:
            return 400, _errors("invalid ciphertext: could not decode base64")
        try:
            plain = open_sealed(key, Sealed.unpack(packed), bound_to=bound)
        except NotAuthentic:
            return self.denial, _errors("cipher: message authentication failed")
        # What was changed may be the Base64 text's unused bits, which a strict decoder tells.
        if base64.b64encode(packed).decode() != ciphertext.removeprefix(PREFIX):
            return 400, _errors("illegal base64 data at input byte 0")
        return 200, _answer({"plaintext": base64.b64encode(plain).decode()})


@contextmanager
def transit() -> Iterator[TransitServer]:
    """Serve on a port of this machine while the block runs."""
    server = TransitServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(length))
            status, said = server.answer(self.path, self.headers["X-Vault-Token"], body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join(5)


def _answer(told: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "request_id": "ab00ba0f-9e45-0aca-e3c1-7765fd83fc3c",
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "data": told,
            "wrap_info": None,
            "warnings": None,
            "auth": None,
        }
    ).encode()


def _errors(*texts: str) -> bytes:
    return json.dumps({"errors": list(texts)}).encode()
