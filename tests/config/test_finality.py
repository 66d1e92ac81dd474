"""What large amounts need to be final, as the settings have it."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config import bootstrap
from config.settings import WrongSettings, structure
from domain.chains.finality import Ladder, Rung
from domain.shared.money import AssetId, ChainId, Money
from tests.config.conftest import CHAIN, TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "finality.md"
LARGE: dict[str, object] = {"asset": TOKEN, "at_least": "50000", "confirmations": 64}


def with_chain(raw: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Return settings whose chain is changed by name."""
    return raw | {"chains": [raw["chains"][0] | changes]}


def ladders(raw: dict[str, Any]) -> Mapping[ChainId, Ladder]:
    return bootstrap.operator(structure(raw)).watcher.ladders


async def test_without_them_the_chain_s_own_rule_is_enough(raw: dict[str, Any]) -> None:
    assert ladders(raw) == {}


async def test_amounts_are_in_whole_units(raw: dict[str, Any]) -> None:
    more: dict[str, object] = {
        "asset": TOKEN.upper().replace("EIP155", "eip155").replace("ERC20:0X", "erc20:0x")
    }
    more |= {"at_least": "250000.5", "age_seconds": 3_600, "quorum": 2}
    chain = {"large_amounts": [LARGE, more], "more_rpc_urls": ["https://two.example"]}
    token = AssetId(TOKEN)

    found = ladders(with_chain(raw, **chain))

    assert found == {
        ChainId(CHAIN): Ladder(
            (
                Rung(at_least=Money(50_000 * 10**6, token), confirmations=64),
                Rung(at_least=Money(250_000_500_000, token), age=timedelta(hours=1), quorum=2),
            )
        )
    }


async def test_a_chain_s_rule_can_be_one_of_age(raw: dict[str, Any]) -> None:
    [chain] = structure(with_chain(raw, confirmations=12, age_seconds=60)).evm_chains
    assert (chain.confirmations, chain.age_seconds) == (12, 60)


async def test_the_settings_on_the_operators_page_are_taken(raw: dict[str, Any]) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    [told] = tomllib.loads(found[1])["chains"]
    token = {"id": told["large_amounts"][0]["asset"], "symbol": "USDT", "decimals": 18}
    raw = with_chain(raw, **told) | {"assets": [*raw["assets"][:1], token], "rates": []}

    [rungs] = [ladder.rungs for ladder in ladders(raw).values()]

    assert [(each.confirmations, each.quorum) for each in rungs] == [(64, 2), (64, 3)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"asset": f"{CHAIN}/erc20:0x{'8' * 40}"}, "is not one of the assets"),
        ({"asset": "tUSDT"}, f"large_amounts of {CHAIN}: tUSDT is not one of the assets"),
        ({"asset": "iso4217:USD"}, "iso4217:USD is an asset of another chain"),
        ({"asset": f"{CHAIN}/slip44:60"}, "is a coin; only tokens can be waited for by amount"),
        ({"quorum": 2}, "has a quorum of more than there are providers"),
        ({"confirmations": 0}, "ask for nothing: set confirmations, age_seconds or quorum"),
        ({"confirmations": -1}, "'confirmations' must be >= 0"),
        ({"confirmations": 10_001}, "'confirmations' must be <= 10000"),
        ({"age_seconds": 604_801}, "'age_seconds' must be <= 604800"),
        ({"age_seconds": 1.5}, "expected a whole number, got 1.5"),
        ({"quorum": 0}, "quorum must be more than 0"),
        ({"at_least": "0"}, "at_least of large_amounts must be a decimal number above 0"),
        ({"at_least": "many"}, "at_least of large_amounts must be a decimal number above 0"),
        ({"at_least": "NaN"}, "at_least of large_amounts must be a decimal number above 0"),
        ({"at_least": 50_000}, "expected str, got 50000"),
        ({"confirmation": 3}, "extra fields found (confirmation)"),
    ],
)
async def test_wrong_ones_stop_the_start_with_a_line_that_names_them(
    raw: dict[str, Any], changes: dict[str, object], words: str
) -> None:
    with pytest.raises(WrongSettings) as wrong:
        structure(with_chain(raw, large_amounts=[LARGE | changes]))

    [line] = wrong.value.lines
    assert words in line
    assert "large_amounts" in line


@pytest.mark.parametrize("age", [-1, 604_801])
async def test_a_chain_s_age_has_bounds(raw: dict[str, Any], age: int) -> None:
    with pytest.raises(WrongSettings, match="age_seconds"):
        structure(with_chain(raw, age_seconds=age))
