"""``switchyard chain deploy-collector``: the contract that sweeps many addresses at once."""

from __future__ import annotations

import asyncio
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from adapters.evm.collector_abi import collector_code
from adapters.evm.devnet.devnet import Devnet
from adapters.evm.rpc import Call, JsonRpc
from adapters.evm.wire import BYTES
from adapters.system.secret_files import write_key
from tests.adapters.evm.local_chain import DEPLOYER, OPERATOR, address, key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

CHAIN = "eip155:31337"
HOT = address(OPERATOR)


@pytest.fixture
def devnet() -> Iterator[Devnet]:
    with Devnet() as devnet:
        yield devnet


@pytest.fixture
def payer_key(tmp_path: Path) -> Path:
    file = tmp_path / "payer"
    write_key(file, key(DEPLOYER))
    return file


def chain(rpc_url: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 (of any type)
    usual = {
        "id": CHAIN,
        "rpc_url": rpc_url,
        "escrow_contract": "0x" + "e" * 40,
        "hot_wallet": HOT,
        "treasury": HOT,
        "first_block": 0,
    }
    return usual | changes


def test_what_it_prints_belongs_into_the_settings(
    written: Callable[..., Path],
    switchyard: Callable[..., Result],
    devnet: Devnet,
    payer_key: Path,
) -> None:
    file = written(chains=[chain(devnet.url)])

    told = switchyard(
        "chain", "deploy-collector", CHAIN, "--key-file", str(payer_key), "--settings", str(file)
    )

    assert told.exit_code == 0, told.stderr
    lines = tomllib.loads(told.stdout)
    assert lines["sweep_by"] == "delegation"
    assert asyncio.run(code_at(devnet.url, lines["collector_contract"])) == collector_code(
        lines["collector_contract"], destination=HOT
    )
    assert written(chains=[chain(devnet.url, **lines)])


def test_a_chain_that_there_is_not(
    written: Callable[..., Path], switchyard: Callable[..., Result], payer_key: Path
) -> None:
    file = written(chains=[])

    told = switchyard(
        "chain", "deploy-collector", CHAIN, "--key-file", str(payer_key), "--settings", str(file)
    )

    assert told.exit_code == 2
    assert f"no EVM chain {CHAIN}" in told.stderr


def test_a_key_that_others_may_read(
    written: Callable[..., Path], switchyard: Callable[..., Result], payer_key: Path
) -> None:
    payer_key.chmod(0o644)
    file = written(chains=[chain("http://127.0.0.1:9")])

    told = switchyard(
        "chain", "deploy-collector", CHAIN, "--key-file", str(payer_key), "--settings", str(file)
    )

    assert told.exit_code == 1
    assert "0644" in told.stderr


async def code_at(url: str, contract: str) -> bytes:
    async with JsonRpc(url, timeout_seconds=10) as rpc:
        code = await rpc.call(Call("eth_getCode", [contract, "latest"]), answer=BYTES)
    return bytes.fromhex(code[2:])
