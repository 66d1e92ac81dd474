"""Putting the collector contract on a chain, for an operator who wants to sweep many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.evm.deploy import Deployer
from adapters.evm.signer import read_key_file
from config.settings import WrongSettings

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.evm.deploy import Deployed
    from config.settings import Settings


async def deploy_collector(settings: Settings, *, chain: str, key_file: Path) -> Deployed:
    """Deploy a collector that sends all it moves to a chain's hot wallet, for ever.

    Args:
        settings: They say where the chain's node is, and which wallet is the hot one.
        chain: The chain's name.
        key_file: A file of mode 0600 with the key of who pays for it: it has no say in it later.

    Raises:
        WrongSettings: there is no such EVM chain.
        KeyFileRefused: the key cannot be read.
        InstructionRefused, TransactionReverted, ChainUnavailable: it was not deployed.
    """
    found = [each for each in settings.evm_chains if each.id == chain]
    if not found:
        raise WrongSettings((f"settings.chains has no EVM chain {chain}",))
    async with Deployer(found[0].rpc_url, read_key_file(key_file)) as deployer:
        return await deployer.deploy_collector(destination=found[0].hot_wallet.lower())
