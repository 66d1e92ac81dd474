"""What a demo consists of, written down in ``demo.json`` in the directory where all of it lies.

A demo that is started again, after whatever ended it, goes on where it was.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import attrs
import cattrs

from adapters.postgres.embedded.layout import default_data_root


@attrs.frozen(kw_only=True)
class TonDemo:
    """What was made on the devnet, and is found again at the next start."""

    hot_wallet: str
    deposit_public_key: str
    jetton: str
    """The test USDT's asset id."""
    merchant_wallet: str
    first_block: int


@attrs.frozen
class TonFiles:
    """Where the files of the demo's part on TON lie."""

    root: Path

    @property
    def chain(self) -> Path:
        """The devnet's chain."""
        return self.root / "ton-devnet.sqlite"

    @property
    def network(self) -> Path:
        """The network's configuration, which names the devnet's liteserver."""
        return self.root / "ton-network.json"

    @property
    def hot_wallet(self) -> Path:
        """The key that pays out."""
        return self.root / "keys" / "ton_hot_wallet"

    @property
    def deposit_key(self) -> Path:
        """The key of the deposit wallets."""
        return self.root / "keys" / "ton_deposit_key"


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
    ton: TonDemo | None = None
    """None where the demo began on a machine that cannot run a TON chain."""
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
    def key_ring(self) -> Path:
        """The keys that secrets in the database are sealed by."""
        return self.keys / "ring"

    @property
    def logs(self) -> Path:
        """What the processes say."""
        return self.root / "logs"

    @property
    def record(self) -> Path:
        """What was made."""
        return self.root / "demo.json"

    @property
    def ton(self) -> TonFiles:
        """The files of the part on TON."""
        return TonFiles(self.root)

    def load(self) -> Demo | None:
        """Return what was made at an earlier start, if there was one."""
        if not self.record.exists():
            return None
        return cattrs.structure(json.loads(self.record.read_text()), Demo)

    def save(self, demo: Demo) -> None:
        """Write down what was made, whole or not at all."""
        write_private(self.record, json.dumps(attrs.asdict(demo), indent=2))


@attrs.frozen(kw_only=True)
class Ports:
    """Where the demo's servers listen, on this machine alone."""

    api: int
    devnet: int


def default_directory() -> Path:
    """Return where a demo is kept unless it is told otherwise."""
    return default_data_root() / "demo"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
