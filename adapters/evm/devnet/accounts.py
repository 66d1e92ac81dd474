"""The funded accounts of every devnet. Their keys are public: DEVNET ONLY."""

from __future__ import annotations

from functools import cache

import attrs
from eth_account.hdaccount import seed_from_mnemonic
from eth_account.hdaccount.deterministic import HDPath
from eth_keys.datatypes import PrivateKey

DEVNET_MNEMONIC = "test test test test test test test test test test test junk"
"""The test phrase of Hardhat, Foundry and Ganache. Anything sent to it on a real chain is lost."""

DEVNET_ACCOUNTS = 10
DEVNET_BALANCE_WEI = 10_000 * 10**18


@attrs.frozen(kw_only=True)
class DevnetAccount:
    """One funded account: its EIP-55 address and its (public) 32-byte private key."""

    address: str
    private_key: bytes


@cache
def devnet_accounts() -> tuple[DevnetAccount, ...]:
    """Derive the funded accounts in wallet order, ``m/44'/60'/0'/0/0`` first."""
    seed = seed_from_mnemonic(DEVNET_MNEMONIC, "")
    return tuple(
        _account(HDPath(f"m/44'/60'/0'/0/{index}").derive(seed))
        for index in range(DEVNET_ACCOUNTS)
    )


def _account(private_key: bytes) -> DevnetAccount:
    address = PrivateKey(private_key).public_key.to_checksum_address()
    return DevnetAccount(address=address, private_key=private_key)
