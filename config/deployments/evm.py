"""EVM chains as the settings say: nodes, readers, senders and deposit addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.evm.addresses import (
    ExtendedPublicKey,
    NotAnExtendedPublicKey,
    PrivateKeyGiven,
    XpubAddresses,
)
from adapters.evm.deposit_signer import LocalDepositSigner
from adapters.evm.names import chain_number
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.sender import EvmChainSender
from adapters.evm.settings import EvmChain, FeeLimits
from adapters.evm.signer import LocalSigner
from config.settings import WrongSettings
from domain.shared.money import ChainId, chain_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.chains import EvmChainSetting
    from config.settings import Keys, Settings
    from domain.shared.money import Assets
    from ports.chain import ChainReader, ChainSender
    from ports.deposit_addresses import DepositAddresses
    from ports.signer import DepositSigner

GWEI = 10**9


def nodes(settings: Settings, known: Assets) -> Mapping[ChainId, EvmNode]:
    """Return a client for each chain's node; none is connected yet."""
    return {ChainId(chain.id): EvmNode(_evm_chain(chain, known)) for chain in settings.chains}


def readers(nodes: Mapping[ChainId, EvmNode]) -> Mapping[ChainId, ChainReader]:
    """Return what reads each chain."""
    return {chain: EvmChainReader(node) for chain, node in nodes.items()}


def senders(settings: Settings, nodes: Mapping[ChainId, EvmNode]) -> Mapping[ChainId, ChainSender]:
    """Return what sends on each chain.

    Raises:
        WrongSettings: no key is named, or it is the key of other addresses than the settings say.
        KeyFileRefused: a key file is missing, or others may read it.
    """
    file = settings.keys.hot_wallet_file
    if file is None:
        raise WrongSettings(("settings.keys.hot_wallet_file is needed in this process",))
    made: dict[ChainId, ChainSender] = {}
    for chain in settings.chains:
        name = ChainId(chain.id)
        signer = LocalSigner.from_file(file, chain_id=chain_number(name))
        if signer.address != chain.hot_wallet.lower():
            raise WrongSettings((f"{file} is not the key of {chain.hot_wallet}",))
        deposits = _deposit_signer(settings.keys, nodes[name], signer.address)
        made[name] = EvmChainSender(nodes[name], signer, deposits=deposits)
    return made


def _deposit_signer(keys: Keys, node: EvmNode, hot_wallet: str) -> DepositSigner | None:
    """Return what signs for the deposit addresses of a chain, if this process has the key."""
    file = keys.deposit_key_file
    if file is None:
        return None
    signer = LocalDepositSigner.from_file(
        file,
        chain_id=node.chain.chain_id,
        hot_wallet=hot_wallet,
        tokens=node.chain.token_addresses(),
    )
    if signer.account != _account(keys.xpub):
        raise WrongSettings((f"{file} is not the key of settings.keys.xpub",))
    return signer


def addresses(settings: Settings) -> Mapping[ChainId, DepositAddresses]:
    """Return what derives each chain's deposit addresses: the same on all of them.

    Raises:
        WrongSettings: the extended public key is none.
    """
    _account(settings.keys.xpub)
    derived = XpubAddresses(settings.keys.xpub)
    return {ChainId(chain.id): derived for chain in settings.chains}


def _account(xpub: str) -> ExtendedPublicKey:
    try:
        return ExtendedPublicKey.parse(xpub)
    except (NotAnExtendedPublicKey, PrivateKeyGiven) as error:
        raise WrongSettings((f"{error} @ settings.keys.xpub",)) from None


def _evm_chain(chain: EvmChainSetting, known: Assets) -> EvmChain:
    name = ChainId(chain.id)
    here = [asset for asset in known.by_id.values() if chain_of(asset.id) == name]
    return EvmChain(
        chain_id=chain_number(name),
        rpc_url=chain.rpc_url,
        tokens=tuple(asset for asset in here if "/erc20:" in asset.id),
        escrow=chain.escrow_contract.lower(),
        first_block=chain.first_block,
        confirmations=chain.confirmations,
        fees=FeeLimits(max_fee_per_gas_wei=chain.fee_cap_gwei * GWEI),
        request_timeout_seconds=chain.request_timeout_seconds,
    )
