from __future__ import annotations

import hashlib
import tomllib

import pytest
from click.testing import CliRunner

from config.operators import OperatorSetting, check_operators, operators
from domain.operators.model import OperatorScope
from entrypoints.cli.main import main

DIGEST = hashlib.sha256(b"one").hexdigest()


@pytest.mark.parametrize("options", [[], ["--write"]])
def test_a_token_is_known_by_the_lines_that_come_with_it(options: list[str]) -> None:
    result = CliRunner().invoke(main, ["operator", "token", "maria@shop.example", *options])
    assert result.exit_code == 0, result.output
    token = result.stderr.removeprefix("token: ").strip()
    [table] = tomllib.loads(result.stdout)["operators"]
    known = operators([OperatorSetting(table["name"], table["token_sha256"], table["scopes"])])
    found = known.recognise(token)
    assert found is not None
    assert found.name == "maria@shop.example"
    assert found.scopes == ({*OperatorScope} if options else {OperatorScope.READ})
    assert token not in result.stdout
    assert known.recognise(token[:-1]) is None


def test_a_name_that_could_forge_a_line_of_the_log_is_refused() -> None:
    result = CliRunner().invoke(main, ["operator", "token", "maria\nroot"])
    assert result.exit_code == 2


@pytest.mark.parametrize(
    "second", [OperatorSetting("maria", "0" * 64), OperatorSetting("paul", DIGEST)]
)
def test_operators_differ_in_name_and_token(second: OperatorSetting) -> None:
    with pytest.raises(ValueError, match="two have the same"):
        check_operators([OperatorSetting("maria", DIGEST), second])


@pytest.mark.parametrize("digest", ["", "0" * 63, "G" * 64, DIGEST.upper()])
def test_a_digest_is_sha256_in_hex(digest: str) -> None:
    with pytest.raises(ValueError, match="token_sha256"):
        OperatorSetting("maria", digest)
