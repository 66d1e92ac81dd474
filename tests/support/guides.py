"""The programs in the guides, and messages as the gateway signs them to try them with."""

from __future__ import annotations

import asyncio
import base64
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from standardwebhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Sequence

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
SECRET = "whsec_" + base64.b64encode(b"a secret of tests, 32 bytes long").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of tests, as long").decode()
BODY = (
    '{"id":"evt_1","type":"payment_intent.succeeded","data":{"description":"Größe 28″"}}'.encode()
)
NOW = 1_772_366_400
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(guide: str, language: str) -> Sequence[str]:
    """Return the blocks of a guide in a language."""
    text = (GUIDES / guide).read_text()
    return [code for named, code in _BLOCK.findall(text) if named == language]


async def run(guide: str, place: Path, names: Mapping[str, str]) -> str:
    """Run a guide's commands one after the other in one shell; return what they print."""
    shell = await asyncio.create_subprocess_exec(
        *("/bin/bash", "-euo", "pipefail", "-c", "\n".join(blocks(guide, "sh"))),
        cwd=place,
        env={"PATH": os.environ["PATH"], **names},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        said, failed = await shell.communicate()
    assert shell.returncode == 0, failed.decode()
    return said.decode()


@attrs.frozen(kw_only=True)
class Message:
    """A message that a verifier is shown, and what it has to say."""

    name: str
    headers: Mapping[str, str]
    body: bytes = BODY
    genuine: bool = False


def _headers(*secrets: str, at: int = NOW, body: bytes = BODY) -> dict[str, str]:
    moment = datetime.fromtimestamp(at, tz=UTC)
    signed = [Webhook(secret).sign("evt_1", moment, body.decode()) for secret in secrets]
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signed),
    }


MESSAGES: Sequence[Message] = (
    Message(name="ours", headers=_headers(SECRET), genuine=True),
    Message(name="two secrets", headers=_headers(OTHER_SECRET, SECRET), genuine=True),
    Message(name="almost too old", headers=_headers(SECRET, at=NOW - 299), genuine=True),
    Message(name="another secret", headers=_headers(OTHER_SECRET)),
    Message(name="too old", headers=_headers(SECRET, at=NOW - 301)),
    Message(name="of the future", headers=_headers(SECRET, at=NOW + 301)),
    Message(name="another body", headers=_headers(SECRET), body=BODY + b" "),
    Message(name="another id", headers={**_headers(SECRET), "webhook-id": "evt_2"}),
    Message(name="another time", headers={**_headers(SECRET), "webhook-timestamp": str(NOW + 1)}),
    Message(name="no number", headers={**_headers(SECRET), "webhook-timestamp": "soon"}),
    Message(name="no signature", headers={**_headers(SECRET), "webhook-signature": ""}),
    Message(name="no text", headers={**_headers(SECRET), "webhook-signature": "v1,\u00e9"}),
)
