"""The demo's processes: what they stand on, and what their settings say."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import tomli_w

from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.devnet.server import serve as serve_devnet
from adapters.evm.devnet.settings import DevnetSettings
from adapters.postgres.embedded.server import EmbeddedPostgres
from adapters.postgres.migrate import upgrade
from config.demo import ton
from config.demo.parts import TREASURY
from config.demo.record import write_private

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from config.demo.record import Demo, Directory, Ports

DATABASE = "switchyard"


def database(directory: Directory) -> EmbeddedPostgres:
    """Return the demo's own PostgreSQL, not started yet."""
    return EmbeddedPostgres(
        directory=directory.postgres,
        parameters={"shared_buffers": "128MB", "max_connections": "64"},
    )


def migrated(postgres: EmbeddedPostgres) -> str:
    """Return the database's URL, its schema made or brought up to date."""
    with suppress(psycopg.errors.DuplicateDatabase):
        postgres.create_database(DATABASE)
    dsn = postgres.dsn(database=DATABASE)
    upgrade(dsn)
    return dsn


async def run_devnet(
    *,
    database: Path | None,
    port: int,
    block_seconds: float,
    stop: asyncio.Event,
    on_ready: Callable[[str], None],
) -> None:
    """Serve the devnet until told to stop."""
    settings = DevnetSettings(database=database, port=port, block_seconds=block_seconds)
    await serve_devnet(settings, stop=stop, on_ready=on_ready)


def settings_of(
    demo: Demo,
    *,
    directory: Directory,
    dsn: str,
    ports: Ports,
    brisk: bool,
    signs: bool,
    with_ton: bool = False,
) -> dict[str, object]:
    """Return the settings of one of the demo's processes; only the worker's name a key that signs.

    ``brisk`` makes the clocks run as the scripted story needs them. ``with_ton`` says whether a
    TON chain runs, if the demo has a part there.
    """
    keys = {"xpub": demo.xpub}
    if signs:
        keys["hot_wallet_file"] = str(directory.hot_wallet)
        keys["deposit_key_file"] = str(directory.deposit_key)
    on_ton = demo.ton if with_ton else None
    rates = [
        {"source": source, "asset": asset, "currency": "iso4217:USD", "rate": rate}
        for source, rate in (("demo-a", "0.9998"), ("demo-b", "1"), ("demo-c", "1.0001"))
        for asset in (demo.asset, *([on_ton.jetton] if on_ton else []))
    ]
    pace = {
        "watch_every_seconds": 0.25 if brisk else 1.0,
        "hand_over_every_seconds": 0.25 if brisk else 0.5,
        "expire_every_seconds": 0.5 if brisk else 5.0,
        # The story settles by the operator's command, so that each step can be told apart.
        "settle_every_seconds": 86400.0 if brisk else 30.0,
        "sweep_every_seconds": 0.25 if brisk else 10.0,
        "reconcile_every_seconds": 1.0 if brisk else 10.0,
    }
    return {
        "deployment": "demo",
        "database": {"url": dsn},
        "http": {"port": ports.api, "cursor_key": demo.cursor_key},
        "keys": keys,
        "assets": [
            {"id": "iso4217:USD", "symbol": "USD", "decimals": 2},
            {"id": demo.asset, "symbol": "tUSDT", "decimals": 6, "peg": "iso4217:USD"},
            {"id": f"{demo.chain}/slip44:60", "symbol": "ETH", "decimals": 18},
            *(ton.asset_tables(on_ton) if on_ton else ()),
        ],
        "chains": [
            {
                "id": demo.chain,
                "rpc_url": demo.rpc_url,
                "escrow_contract": demo.escrow_contract,
                "hot_wallet": demo.hot_wallet,
                "treasury": devnet_accounts()[TREASURY].address.lower(),
                "first_block": demo.first_block,
                "devnet": True,
            },
            *([ton.chain_table(on_ton, directory.ton, signs=signs)] if on_ton else ()),
        ],
        "rates": rates,
        "worker": pace,
        "books": {"statement_key_file": str(directory.statement_key)} if signs else {},
        "webhooks": {"allow_private_addresses": True},
        "secrets": {"ring_file": str(directory.key_ring)},
    }


def write_settings(settings: dict[str, object], path: Path) -> Path:
    """Write a process's settings as TOML, readable for us alone; return where."""
    write_private(path, tomli_w.dumps(settings))
    return path
