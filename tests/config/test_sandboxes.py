"""Which chains of the settings are devnets, and what a worker does where one is not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from adapters.evm.node import EvmNode
from adapters.evm.sandbox import EvmSandbox
from adapters.memory.sandbox import InMemorySandbox
from config import bootstrap
from config.lifetimes import sandbox_open
from config.settings import WrongSettings, structure
from domain.shared.money import ChainId
from ports.sandbox import WrongSandbox
from tests.adapters.evm.relay import Relay
from tests.config.conftest import CHAIN

if TYPE_CHECKING:
    from pathlib import Path


def with_chain(raw: dict[str, Any], **changes: object) -> dict[str, Any]:
    [chain] = raw["chains"]
    return raw | {"chains": [chain | changes]}


@pytest.fixture
def signs(raw: dict[str, Any], key_file: Path) -> dict[str, Any]:
    return raw | {"keys": raw["keys"] | {"hot_wallet_file": str(key_file)}}


@pytest.mark.parametrize("deployment", ["demo", "testing"])
async def test_a_chain_is_a_devnet_where_the_settings_say_so(
    signs: dict[str, Any], deployment: str
) -> None:
    tables = signs | {"deployment": deployment}
    for changes, expected in (({}, set()), ({"devnet": True}, {ChainId(CHAIN)})):
        settings = structure(with_chain(tables, **changes))
        worker = bootstrap.worker(settings)
        assert set(worker.sandbox.sandboxes) == expected
        api = bootstrap.api(settings)
        assert {it.chain for it in api.sandbox.places.values() if it.devnet} == expected
        kind = EvmSandbox if deployment == "demo" else InMemorySandbox
        assert all(isinstance(it, kind) for it in worker.sandbox.sandboxes.values())


@pytest.mark.parametrize("changes", [{"mode": "live"}, {"id": "eip155:56"}])
def test_a_chain_of_live_money_is_none(raw: dict[str, Any], changes: dict[str, Any]) -> None:
    with pytest.raises(WrongSettings, match="no devnet"):
        structure(with_chain(raw, devnet=True, **changes))


async def test_a_worker_ends_at_once_where_a_node_is_none(signs: dict[str, Any]) -> None:
    async with Relay() as node:
        node.spoil("eth_chainId", lambda _, answer: {**answer, "result": hex(31337)})
        node.refuse("eth_accounts", code=-32601, message="the method does not exist")
        sandbox = _sandbox(with_chain(signs, devnet=True, rpc_url=node.url))
        with pytest.raises(WrongSandbox, match="no devnet"):
            async with sandbox_open(sandbox):
                raise AssertionError


async def test_a_worker_begins_where_a_devnet_does_not_answer_yet(
    signs: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with sandbox_open(_sandbox(with_chain(signs, devnet=True))):
            assert "does not answer yet" in caplog.text


def _sandbox(tables: dict[str, Any]) -> EvmSandbox:
    services = bootstrap.container(structure(tables))
    nodes = services.adapters.nodes()
    assert all(isinstance(node, EvmNode) for node in nodes.values())
    [sandbox] = services.adapters.sandboxes().values()
    assert isinstance(sandbox, EvmSandbox)
    return sandbox
