from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from adapters.evm.signer import create_key_file
from adapters.evm.wallet_seed import account_xpub, new_phrase, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BOT_TOKEN = "42:" + "made-up" * 5
WEBHOOK_SECRET = "made-up-too"
CHAIN = "eip155:31337"
TOKEN = f"{CHAIN}/erc20:0x{'7' * 40}"


@pytest.fixture(scope="session")
def xpub() -> str:
    return account_xpub(seed_of(new_phrase()))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "hot_wallet"


@pytest.fixture
def hot_wallet(key_file: Path) -> str:
    """Make the key file; return the address of the key in it."""
    return create_key_file(key_file)


@pytest.fixture
def nobody_listens() -> int:
    """Return a port of this machine that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def raw(xpub: str, hot_wallet: str, nobody_listens: int) -> dict[str, Any]:
    """Return settings that are right, without the key, as the file's plain tables."""
    return {
        "deployment": "demo",
        "database": {"url": f"postgresql://nobody@127.0.0.1:{nobody_listens}/nowhere"},
        "http": {"cursor_key": "c" * 32},
        "keys": {"xpub": xpub},
        "assets": [
            {"id": "iso4217:USD", "symbol": "USD", "decimals": 2},
            {"id": TOKEN, "symbol": "tUSDT", "decimals": 6, "peg": "iso4217:USD"},
            {"id": f"{CHAIN}/slip44:60", "symbol": "ETH", "decimals": 18},
        ],
        "chains": [
            {
                "id": CHAIN,
                "rpc_url": f"http://127.0.0.1:{nobody_listens}",
                "escrow_contract": "0x" + "E" * 40,
                "hot_wallet": hot_wallet,
                "treasury": "0x" + "f" * 40,
                "first_block": 1,
            }
        ],
        "rates": [
            {"source": source, "asset": TOKEN, "currency": "iso4217:USD", "rate": rate}
            for source, rate in (("one", "0.9998"), ("two", "1"), ("three", "1.0001"))
        ],
    }


@pytest.fixture
def with_stars(tmp_path: Path) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what adds Stars by webhook to the tables of settings."""
    files = {"bot_token_file": BOT_TOKEN, "webhook_secret_file": WEBHOOK_SECRET}
    for name, secret in files.items():
        (tmp_path / name).write_text(f"{secret}\n")
        (tmp_path / name).chmod(0o600)
    stars = {"mode": "webhook", **{name: str(tmp_path / name) for name in files}}
    asset = {"id": "telegram/stars", "symbol": "XTR", "decimals": 0}
    return lambda raw: {**raw, "assets": [*raw["assets"], asset], "stars": stars}
