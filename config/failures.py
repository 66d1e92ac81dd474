"""What the adapters raise where the surroundings are wrong: told in a line, not in a traceback."""

from __future__ import annotations

from adapters.evm.devnet.chain import UnknownFork
from adapters.evm.devnet.chain import WrongChain as DevnetOfAnotherChain
from adapters.evm.devnet.store import DatabaseInUse
from adapters.evm.node import NoEscrowContract, NotOurCollector, WrongDecimals
from adapters.evm.providers import WrongChain
from adapters.evm.web3_account import TransactionReverted
from adapters.keys.entries import MalformedEntry
from adapters.keys.extras import ExtraMissing
from adapters.keys.keystore import KeyExists, KeystoreRefused, NoSuchKey
from adapters.keys.pkcs11 import TokenRefused
from adapters.postgres.embedded.failure import EmbeddedPostgresFailure
from adapters.postgres.migrate import SchemaOutdated
from adapters.signer_process.journal import JournalRefused
from adapters.signer_process.server import SocketTaken
from adapters.system.secret_files import KeyFileRefused
from adapters.ton.devnet.purse import PurseStuck
from adapters.ton.devnet.store import ChainUnreadable, DevnetRunning
from config.keystores import NoSuchKind
from ports.sandbox import WrongSandbox

FAILURES = (
    ChainUnreadable,
    DatabaseInUse,
    DevnetOfAnotherChain,
    DevnetRunning,
    EmbeddedPostgresFailure,
    ExtraMissing,
    JournalRefused,
    KeyExists,
    KeyFileRefused,
    KeystoreRefused,
    MalformedEntry,
    NoEscrowContract,
    NoSuchKey,
    NoSuchKind,
    NotOurCollector,
    PurseStuck,
    SchemaOutdated,
    SocketTaken,
    TokenRefused,
    TransactionReverted,
    UnknownFork,
    WrongChain,
    WrongDecimals,
    WrongSandbox,
)
