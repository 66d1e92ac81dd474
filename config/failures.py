"""What the adapters raise where the surroundings are wrong: told in a line, not in a traceback."""

from __future__ import annotations

from adapters.evm.devnet.chain import WrongChain as DevnetOfAnotherChain
from adapters.evm.devnet.store import DatabaseInUse
from adapters.evm.node import NoEscrowContract, WrongChain, WrongDecimals
from adapters.evm.signer import KeyFileRefused
from adapters.evm.web3_account import TransactionReverted
from adapters.keys.ed25519 import SigningKeyRefused
from adapters.postgres.embedded.failure import EmbeddedPostgresFailure
from adapters.postgres.migrate import SchemaOutdated

FAILURES = (
    DatabaseInUse,
    DevnetOfAnotherChain,
    EmbeddedPostgresFailure,
    KeyFileRefused,
    NoEscrowContract,
    SchemaOutdated,
    SigningKeyRefused,
    TransactionReverted,
    WrongChain,
    WrongDecimals,
)
