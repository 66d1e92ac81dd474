"""``switchyard demo`` from its start to Ctrl-C, and from its next start on."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import stat
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from adapters.evm.deploy import Deployer
from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.devnet.devnet import Devnet
from config.demo.record import Directory
from config.ton_devnet import available
from tests.end_to_end.running_demo import (
    RunningDemo,
    data_directory,
    processes_in,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """The one directory of this module: each test goes on where the last one stopped."""
    with data_directory() as directory:
        yield directory


def test_what_is_printed_works_and_is_still_there_after_ctrl_c(directory: Path) -> None:
    demo = RunningDemo.ready(directory)
    assert {"postgres", "devnet", "serve", "worker"} <= _commands(directory)
    key = demo.line("API key")
    intent = _ask(demo)
    _pay(demo, intent["id"])
    paid = _paid(demo, intent["id"])
    on_ton = _ask_for_ton(demo) if available() is None else None
    if on_ton is not None:
        _pay(demo, on_ton["id"])
        on_ton = _paid(demo, on_ton["id"])
    blocks = _blocks(demo.line("EVM node"))

    assert demo.interrupt() == 0
    assert demo.said().count("Traceback") == 0

    again = RunningDemo.ready(directory)
    try:
        assert again.line("API key") == key
        assert again.line("escrow") == demo.line("escrow")
        assert _paid(again, intent["id"]) == paid
        if on_ton is not None:
            assert _paid(again, on_ton["id"]) == on_ton
        assert _blocks(again.line("EVM node"))[: len(blocks)] == blocks
        for settings in ("worker.toml", "api.toml"):
            checked = run("books", "check", f"--settings={directory / settings}")
            assert (checked.returncode, checked.stderr) == (0, "")
            assert "custody:evm:deposits" in checked.stdout
            assert ("custody:ton:hot" in checked.stdout) == (on_ton is not None)
            assert checked.stdout.splitlines()[-1] == "the books are right"
        second = run("demo", f"--data={directory}", "--port=0", "--devnet-port=0")
        assert second.returncode == 1
        assert "in use by another process" in second.stderr
        assert len(second.stderr.splitlines()) == 1
        assert again.process.poll() is None
    finally:
        assert again.interrupt() == 0


@pytest.mark.parametrize("contracts", [False, True], ids=["no contracts", "the same contracts"])
def test_another_chain_is_refused(directory: Path, *, contracts: bool) -> None:
    with Devnet() as devnet:
        if contracts:
            # The deployer's first contracts have the same addresses on every new chain.
            asyncio.run(_deploy(devnet.url))
        done = run(
            "demo", f"--data={directory}", "--port=0", f"--evm-rpc={devnet.url}", "--script"
        )

    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("The node's chain is not the one")
    assert devnet.url in line
    assert processes_in(directory) == []


def test_keys_stay_where_they_belong(directory: Path) -> None:
    kept = Directory(directory)
    secrets = [kept.hot_wallet.read_text().strip().removeprefix("0x")]
    secrets.append((kept.keys / "deposit_phrase").read_text().strip())
    secrets += kept.key_ring.read_text().split()
    if available() is None:
        files = (kept.ton.hot_wallet, kept.ton.deposit_key)
        secrets += [file.read_text().strip() for file in files]
    assert "hot_wallet_file" not in (directory / "api.toml").read_text()
    assert "hot_wallet_file" in (directory / "worker.toml").read_text()
    told = [directory / "api.toml", directory / "worker.toml", kept.record]
    told += [
        *kept.logs.iterdir(),
        directory.with_suffix(".out"),
        directory / "postgres/server.log",
    ]
    assert len(told) == (8 if available() else 9)
    for file in told:
        text = file.read_text()
        assert [secret for secret in secrets if secret in text] == [], file
    for file in (*kept.keys.iterdir(), directory / "api.toml", directory / "worker.toml"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
        assert file.stat().st_uid == os.geteuid()


async def _deploy(url: str) -> None:
    accounts = [account.address for account in devnet_accounts()]
    async with Deployer(url, devnet_accounts()[0].private_key) as deployer:
        await deployer.deploy_token()
        await deployer.deploy_escrow(
            operator=accounts[1], arbiter=accounts[2], treasury=accounts[3]
        )


def _commands(directory: Path) -> set[str]:
    words = {word for process in processes_in(directory) for word in process.cmdline()}
    return {word.rsplit("/", 1)[-1] for word in words}


def _ask(demo: RunningDemo) -> dict[str, Any]:
    """Run the printed curl line: the shell's words, and curl's meaning of them."""
    (line,) = [line for line in demo.commands() if line.startswith("curl ")]
    curl, silent, url, *rest = shlex.split(line)
    assert [curl, silent] == ["curl", "-s"]
    options = list(zip(rest[::2], rest[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    (body,) = [value for option, value in options if option == "-d"]
    assert {option for option, _ in options} == {"-H", "-d"}
    return _created(url, body, headers)


def _ask_for_ton(demo: RunningDemo) -> dict[str, Any]:
    """Ask for 5.00 USD in the test USDT of the TON chain."""
    asset = demo.line("TON +test USDT")
    price = {"asset": "iso4217:USD", "amount": "500"}
    headers = {
        "Authorization": f"Bearer {demo.line('API key')}",
        "Content-Type": "application/json",
    }
    body = json.dumps({"method": "memo", "asset": asset, "price": price})
    return _created(f"{demo.api_url}/v1/payment_intents", body, headers)


def _created(url: str, body: str, headers: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(url, body.encode(), headers)  # noqa: S310 (its own URL)
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 (as above)
        intent: dict[str, Any] = json.load(response)
    assert intent["status"] == "requires_payment"
    return intent


def _pay(demo: RunningDemo, intent_id: str) -> None:
    (line,) = [line for line in demo.commands() if line.startswith("switchyard ")]
    words = shlex.split(re.sub(r"<.*>", intent_id, line))
    paid = run(*words[1:])
    assert paid.returncode == 0, paid.stderr
    assert re.fullmatch(r"transfer: (0x)?[0-9a-f]{64}\n", paid.stdout)


def _paid(demo: RunningDemo, intent_id: str) -> dict[str, Any]:
    """Wait until an intent is paid, and return it."""
    url = f"{demo.api_url}/v1/payment_intents/{intent_id}"
    headers = {"Authorization": f"Bearer {demo.line('API key')}"}
    deadline = time.monotonic() + 30
    while True:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (the demo's own)
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 (as above)
            intent: dict[str, Any] = json.load(response)
        if intent["status"] == "succeeded":
            return intent
        assert time.monotonic() < deadline, intent
        time.sleep(0.1)


def _blocks(url: str) -> list[str]:
    """Return the hashes of a chain's blocks, the first one first."""
    head = int(_rpc(url, "eth_blockNumber"), 16)
    return [_rpc(url, "eth_getBlockByNumber", hex(n), False)["hash"] for n in range(head + 1)]  # noqa: FBT003 (wire)


def _rpc(url: str, method: str, *params: object) -> Any:  # noqa: ANN401 (JSON)
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(call).encode(), headers)  # noqa: S310 (ours)
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 (as above)
        return json.load(response)["result"]
