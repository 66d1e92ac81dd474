"""The demo's world: a database, a chain, contracts, keys and a merchant, made once, kept after.

Everything lies in one directory. What was made is written down in ``demo.json``, so that a demo
that is started again, after whatever ended it, goes on where it was.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import cattrs
import psycopg
import tomli_w
from web3 import AsyncWeb3
from web3.exceptions import BlockNotFound
from web3.types import Wei

from adapters.evm.deploy import Deployer
from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.devnet.server import serve as serve_devnet
from adapters.evm.devnet.settings import DevnetSettings
from adapters.evm.signer import LocalSigner, create_key_file
from adapters.evm.wallet import PayerWallet
from adapters.evm.wallet_seed import account_xprv, account_xpub, new_phrase, seed_of
from adapters.postgres.embedded.layout import default_data_root
from adapters.postgres.embedded.server import EmbeddedPostgres
from adapters.postgres.migrate import upgrade
from config.bootstrap import operator
from config.settings import structure
from config.signing import create_statement_key
from domain.fees.model import FeeSchedule
from domain.merchants.model import PayoutTerms
from domain.shared.money import ChainId

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from adapters.evm.web3_account import Web3Account
    from config.settings import Settings

DATABASE = "switchyard"
FEE_BPS = 250
"""2.5 %, what the platform takes where a merchant has no schedule of his own."""
HOT_WALLET_WEI = 100 * 10**18
PAYER_UNITS = 10_000 * 10**6
DEPLOYER, MERCHANT, ARBITER, TREASURY = 0, 7, 8, 9
"""Which of the devnet's well-known accounts plays which part."""
PAYERS = (1, 2, 3)


@attrs.frozen
class OtherChain(Exception):
    """The node's chain is not the one that this data directory belongs to."""

    url: str
    directory: str


@attrs.frozen(kw_only=True)
class Demo:
    """What was made, and is found again at the next start."""

    chain: str
    rpc_url: str
    escrow_contract: str
    token: str
    hot_wallet: str
    first_block: int
    first_block_hash: str
    """By which this chain is told from others where the same contracts lie at the same places."""
    xpub: str
    cursor_key: str = attrs.field(repr=False)
    merchant_id: str = ""
    merchant_wallet: str = ""
    api_key: str = attrs.field(default="", repr=False)

    @property
    def asset(self) -> str:
        """The test USDT."""
        return f"{self.chain}/erc20:{self.token}"


@attrs.frozen
class Directory:
    """Where everything of one demo lies."""

    root: Path

    def prepare(self) -> None:
        """Make the directory. Others may pass through it, where root runs PostgreSQL as nobody."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711 if os.name == "posix" and os.geteuid() == 0 else 0o700)
        for private in (self.keys, self.logs):
            private.mkdir(mode=0o700, exist_ok=True)

    @property
    def postgres(self) -> Path:
        """The database's directory."""
        return self.root / "postgres"

    @property
    def devnet(self) -> Path:
        """The devnet's chain."""
        return self.root / "devnet.sqlite"

    @property
    def keys(self) -> Path:
        """Keys; nobody else may look into it."""
        return self.root / "keys"

    @property
    def hot_wallet(self) -> Path:
        """The key that pays out."""
        return self.keys / "hot_wallet"

    @property
    def deposit_phrase(self) -> Path:
        """The words from which all deposit addresses follow. No process is told them."""
        return self.keys / "deposit_phrase"

    @property
    def deposit_key(self) -> Path:
        """The key that sweeps deposit addresses."""
        return self.keys / "deposit_key"

    @property
    def statement_key(self) -> Path:
        """The key that signs statements."""
        return self.keys / "statement_key"

    @property
    def logs(self) -> Path:
        """What the processes say."""
        return self.root / "logs"

    @property
    def record(self) -> Path:
        """What was made."""
        return self.root / "demo.json"

    def load(self) -> Demo | None:
        """Return what was made at an earlier start, if there was one."""
        if not self.record.exists():
            return None
        return cattrs.structure(json.loads(self.record.read_text()), Demo)

    def save(self, demo: Demo) -> None:
        """Write down what was made, whole or not at all."""
        _write_private(self.record, json.dumps(attrs.asdict(demo), indent=2))


@attrs.frozen(kw_only=True)
class Ports:
    """Where the demo's servers listen, on this machine alone."""

    api: int
    devnet: int


def default_directory() -> Path:
    """Return where a demo is kept unless it is told otherwise."""
    return default_data_root() / "demo"


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
    demo: Demo, *, directory: Directory, dsn: str, ports: Ports, brisk: bool, signs: bool
) -> dict[str, object]:
    """Return the settings of one of the demo's processes; only the worker's name a key that signs.

    ``brisk`` makes the clocks run as the scripted story needs them.
    """
    keys = {"xpub": demo.xpub}
    if signs:
        keys["hot_wallet_file"] = str(directory.hot_wallet)
        keys["deposit_key_file"] = str(directory.deposit_key)
    rates = [
        {"source": source, "asset": demo.asset, "currency": "iso4217:USD", "rate": rate}
        for source, rate in (("demo-a", "0.9998"), ("demo-b", "1"), ("demo-c", "1.0001"))
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
        ],
        "chains": [
            {
                "id": demo.chain,
                "rpc_url": demo.rpc_url,
                "escrow_contract": demo.escrow_contract,
                "hot_wallet": demo.hot_wallet,
                "treasury": devnet_accounts()[TREASURY].address.lower(),
                "first_block": demo.first_block,
            }
        ],
        "rates": rates,
        "worker": pace,
        "books": {"statement_key_file": str(directory.statement_key)} if signs else {},
        "webhooks": {"allow_private_addresses": True},
    }


def write_settings(settings: dict[str, object], path: Path) -> Path:
    """Write a process's settings as TOML, readable for us alone; return where."""
    _write_private(path, tomli_w.dumps(settings))
    return path


async def provision(directory: Directory, *, rpc_url: str, dsn: str, ports: Ports) -> Demo:
    """Make what is not there yet: keys, contracts, money to pay with, a merchant and his API key.

    Raises:
        OtherChain: contracts were deployed before, and are not on this chain.
        ChainUnavailable: the node does not answer.
    """
    known = directory.load()
    if known is None:
        demo = await _deploy(directory, rpc_url)
        directory.save(demo)
    else:
        demo = attrs.evolve(known, rpc_url=rpc_url)
        _keys(directory)
        await _must_be_there(demo, directory)
    if not demo.api_key:
        settings = structure(
            settings_of(demo, directory=directory, dsn=dsn, ports=ports, brisk=False, signs=False)
        )
        demo = await _seed_merchant(demo, settings)
    directory.save(demo)
    return demo


def payer(demo: Demo, number: int) -> PayerWallet:
    """Return the wallet of one of the demo's payers, from 0: a devnet account with test money."""
    return PayerWallet(demo.rpc_url, devnet_accounts()[PAYERS[number]].private_key)


def merchant_wallet(demo: Demo) -> PayerWallet:
    """Return the wallet that the demo's merchant is paid out to."""
    return PayerWallet(demo.rpc_url, devnet_accounts()[MERCHANT].private_key)


async def _deploy(directory: Directory, rpc_url: str) -> Demo:
    accounts = devnet_accounts()
    hot_wallet, xpub = _keys(directory)
    async with Deployer(rpc_url, accounts[DEPLOYER].private_key) as deployer:
        token = await deployer.deploy_token()
        escrow = await deployer.deploy_escrow(
            operator=hot_wallet,
            arbiter=accounts[ARBITER].address,
            treasury=accounts[TREASURY].address,
        )
        holders = {accounts[number].address: PAYER_UNITS for number in PAYERS}
        await deployer.mint(token.address, holders=holders)
        await deployer.send(
            {"to": AsyncWeb3.to_checksum_address(hot_wallet), "value": Wei(HOT_WALLET_WEI)}
        )
        chain_id = await deployer.web3.eth.chain_id
        first_block_hash = await _block_hash(deployer, escrow.block)
    return Demo(
        chain=f"eip155:{chain_id}",
        rpc_url=rpc_url,
        escrow_contract=escrow.address,
        token=token.address,
        hot_wallet=hot_wallet,
        first_block=escrow.block,
        first_block_hash=first_block_hash,
        xpub=xpub,
        cursor_key=secrets.token_hex(32),
    )


def _keys(directory: Directory) -> tuple[str, str]:
    """Return the hot wallet's address and the deposit addresses' public key.

    Keys that a start which did not get to its end has left behind are used again.
    """
    if not directory.hot_wallet.exists():
        create_key_file(directory.hot_wallet)
    hot_wallet = LocalSigner.from_file(directory.hot_wallet, chain_id=1).address
    if not directory.deposit_phrase.exists():
        _write_private(directory.deposit_phrase, new_phrase() + "\n")
    if not directory.statement_key.exists():
        create_statement_key(directory.statement_key)
    seed = seed_of(directory.deposit_phrase.read_text().strip())
    if not directory.deposit_key.exists():
        _write_private(directory.deposit_key, account_xprv(seed) + "\n")
    return hot_wallet, account_xpub(seed)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


async def _must_be_there(demo: Demo, directory: Directory) -> None:
    async with payer(demo, 0) as wallet:
        if await _block_hash(wallet, demo.first_block) != demo.first_block_hash:
            raise OtherChain(demo.rpc_url, str(directory.root))


async def _block_hash(account: Web3Account, number: int) -> str:
    """Return the name of the block that has a number, or nothing where there is none."""
    with suppress(BlockNotFound):
        block = await account.web3.eth.get_block(number)
        return str(block["hash"].to_0x_hex())
    return ""


async def _seed_merchant(demo: Demo, settings: Settings) -> Demo:
    services = operator(settings)
    chain = ChainId(demo.chain)
    wallet = devnet_accounts()[MERCHANT].address.lower()
    async with AsyncExitStack() as stack:
        for resource in services.resources:
            await stack.enter_async_context(resource)
        await services.books.book_gas(chain=chain)
        merchant = await services.merchants.register(
            name="Demo merchant",
            fees=FeeSchedule(FEE_BPS),
            payouts=PayoutTerms(destinations={chain: wallet}),
        )
        key = await services.merchants.issue_key(merchant_id=merchant.id)
    return attrs.evolve(demo, merchant_id=merchant.id, merchant_wallet=wallet, api_key=key)
