"""Settings of limits, of proxies, and of which money lies on a chain."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from config import bootstrap
from config.limits import Limits
from config.settings import WrongSettings, structure
from domain.limits.model import Kind, Quota
from domain.shared.modes import Mode
from domain.shared.money import ChainId


def mode_of(raw: dict[str, Any], chain: str, **changes: str) -> Mode:
    """Return which money lies on a chain of the settings."""
    [told] = raw["chains"]
    assets = [each for each in raw["assets"] if each["id"].startswith("iso4217:")]
    settings = structure(
        raw | {"chains": [told | {"id": chain} | changes], "assets": assets, "rates": []}
    )
    mode: Mode = bootstrap.container(settings).adapters.places()[ChainId(chain)].mode
    return mode


@pytest.mark.parametrize(
    ("chain", "mode"),
    [
        ("eip155:31337", Mode.TEST),
        ("eip155:11155111", Mode.TEST),
        ("eip155:1", Mode.LIVE),
        ("eip155:8453", Mode.LIVE),
        ("eip155:999999999", Mode.LIVE),
    ],
)
def test_an_unknown_chain_is_one_of_real_money(
    raw: dict[str, Any], chain: str, mode: Mode
) -> None:
    assert mode_of(raw, chain) is mode
    for told in Mode:
        assert mode_of(raw, chain, mode=told.value) is told


def test_another_mode_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(WrongSettings, match="mode"):
        mode_of(raw, "eip155:1", mode="play")


def test_limits_may_be_left_out(raw: dict[str, Any]) -> None:
    assert structure(raw).limits == Limits()
    changed = structure(raw | {"limits": {"window_seconds": 60, "reads": 7, "writes": 3}})
    assert changed.limits.quotas == {Kind.READ: Quota(7, 60), Kind.WRITE: Quota(3, 60)}
    assert bootstrap.api(changed).limits.quotas == changed.limits.quotas


@pytest.mark.parametrize("name", ["window_seconds", "reads", "writes", "at_once"])
def test_no_limit_is_nothing(raw: dict[str, Any], name: str) -> None:
    with pytest.raises(WrongSettings, match=name):
        structure(raw | {"limits": {name: 0}})


def test_proxies_are_trusted_by_network(raw: dict[str, Any]) -> None:
    assert bootstrap.api(structure(raw)).trusted_proxies == []
    told = {"trusted_proxies": ["10.0.0.0/8", "fd00::/8"], "forwarded_header": "forwarded"}
    api = bootstrap.api(structure(raw | {"http": raw["http"] | told}))
    assert api.trusted_proxies == [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    assert api.forwarded_header == "forwarded"


@pytest.mark.parametrize(
    ("name", "value"),
    [("trusted_proxies", ["10.0.0.1/8"]), ("forwarded_header", "x-real-ip")],
)
def test_what_is_no_network_or_no_header_is_refused(
    raw: dict[str, Any], name: str, value: object
) -> None:
    with pytest.raises(WrongSettings, match=name):
        structure(raw | {"http": raw["http"] | {name: value}})
