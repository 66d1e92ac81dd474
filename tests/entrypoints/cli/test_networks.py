from __future__ import annotations

import json

from click.testing import CliRunner

from entrypoints.cli.main import main


def test_known_chains_are_listed_with_the_ids_that_settings_take() -> None:
    told = CliRunner().invoke(main, ["networks"])

    assert told.exit_code == 0
    assert "eip155:56          live  BNB Smart Chain  (BNB)" in told.output
    asset = "eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955"
    assert f"  USDT   18 decimals  {asset}" in told.output


def test_programs_are_told_line_by_line() -> None:
    told = CliRunner().invoke(main, ["networks", "--json"])

    by_id = {line["id"]: line for line in map(json.loads, told.output.splitlines())}
    assert by_id["eip155:84532"]["test"] is True
