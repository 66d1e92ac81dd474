"""The settings of docs/operations/keys.md are ones that the program takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import attrs

from config.keys import KeystoreSetting, SignerConnection
from config.settings import structure_as
from config.signer import SignerSettings
from domain.signing.model import Act

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "keys.md"


def example(name: str) -> dict[str, Any]:
    found = re.search(rf"```toml {name}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return tomllib.loads(found[1])


def test_the_keystore_s() -> None:
    told = structure_as(KeystoreSetting, example("keystore")["keystore"], path="keystore")

    assert [wrapper.kind for wrapper in told.wrappers] == ["file", "aws-kms", "vault"]


def test_the_worker_s() -> None:
    told = structure_as(SignerConnection, example("worker")["signer"], path="signer")

    assert told.socket is not None


def test_the_signer_s() -> None:
    told = structure_as(SignerSettings, example("signer"), path="settings")

    assert told.keys[0].policy.acts == {Act.PAYOUT, Act.GAS, Act.RELEASE, Act.REFUND}
    assert [key.token is not None for key in told.keys] == [False, False, True]
    assert {field.name for field in attrs.fields(SignerSettings)} == {"signer", "keystore", "keys"}
