"""The guide's Node and PHP are run as they stand there (``tox -e guides``)."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.guides import MESSAGES, NOW, SECRET, blocks

if TYPE_CHECKING:
    from pathlib import Path

_NODE = """
const {secret, now, messages} = JSON.parse(require("node:fs").readFileSync(0));
const told = messages.map(
  (it) => verify(secret, it.headers, Buffer.from(it.body, "base64"), now));
console.log(JSON.stringify(told));
"""
_PHP = """
$asked = json_decode(file_get_contents('php://stdin'), true);
echo json_encode(array_map(
    fn ($it) => verify(
        $asked['secret'], $it['headers'], base64_decode($it['body']), $asked['now']),
    $asked['messages']
));
"""


@pytest.mark.parametrize(
    ("language", "command", "before", "after"),
    [
        ("javascript", ["node"], "", _NODE),
        ("php", ["php", "-d", "error_reporting=-1"], "<?php declare(strict_types=1);\n", _PHP),
    ],
    ids=["node", "php"],
)
def test_the_guide_knows_our_messages(
    language: str, command: list[str], before: str, after: str, tmp_path: Path
) -> None:
    [code] = blocks("webhooks.md", language)
    program = tmp_path / f"verify.{'cjs' if language == 'javascript' else language}"
    program.write_text(before + code + after)
    messages = [
        {"headers": dict(it.headers), "body": base64.b64encode(it.body).decode()}
        for it in MESSAGES
    ]
    told = subprocess.run(  # noqa: S603 (our own guide)
        [*command, str(program)],
        input=json.dumps({"secret": SECRET, "now": NOW, "messages": messages}),
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert told.stderr == ""
    assert dict(zip((it.name for it in MESSAGES), json.loads(told.stdout), strict=True)) == {
        it.name: it.genuine for it in MESSAGES
    }
