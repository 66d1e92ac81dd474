"""Who plays which part in the demo: accounts of the devnet whose keys everybody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.wallet import PayerWallet

if TYPE_CHECKING:
    from config.demo.record import Demo

DEPLOYER, MERCHANT, ARBITER, TREASURY = 0, 7, 8, 9
PAYERS = (1, 2, 3)


def payer(demo: Demo, number: int) -> PayerWallet:
    """Return the wallet of one of the demo's payers, from 0: a devnet account with test money."""
    return PayerWallet(demo.rpc_url, devnet_accounts()[PAYERS[number]].private_key)


def merchant_wallet(demo: Demo) -> PayerWallet:
    """Return the wallet that the demo's merchant is paid out to."""
    return PayerWallet(demo.rpc_url, devnet_accounts()[MERCHANT].private_key)
