"""EVM chains as the settings say: nodes, readers, senders and deposit addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.evm.addresses import XpubAddresses
from adapters.evm.names import chain_number
from adapters.evm.network_fees import EvmFeeMarket
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.sender import EvmChainSender
from adapters.evm.settings import EvmChain, FeeLimits
from adapters.evm.standing import EvmProviderHealth
from config.modes import mode_of
from config.networks import Network, networks
from config.signers import account, evm_deposit_signer, evm_signer
from domain.chains.places import Places
from domain.shared.money import ChainId, asset_id, chain_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.chains import EvmChainSetting
    from config.settings import Settings
    from domain.shared.money import Assets
    from ports.chain import ChainReader, ChainSender
    from ports.deposit_addresses import DepositAddresses
    from ports.network_fees import FeeMarket
    from ports.provider_health import ProviderHealth

GWEI = 10**9


def places(chain: EvmChainSetting) -> Places:
    """Return where the gateway's money lies on a chain."""
    return Places(
        chain=ChainId(chain.id),
        native=asset_id(f"{chain.id}/slip44:60"),
        escrow_contract=chain.escrow_contract.lower(),
        hot_wallet=chain.hot_wallet.lower(),
        treasury=chain.treasury.lower(),
        first_block=chain.first_block,
        shows_coins=chain.coins,
        hides_coins=chain.coins,
        mode=mode_of(chain),
        devnet=chain.devnet,
    )


def nodes(settings: Settings, known: Assets) -> Mapping[ChainId, EvmNode]:
    """Return a client for each chain's node; none is connected yet."""
    return {ChainId(chain.id): EvmNode(_evm_chain(chain, known)) for chain in settings.evm_chains}


def readers(nodes: Mapping[ChainId, EvmNode]) -> Mapping[ChainId, ChainReader]:
    """Return what reads each chain."""
    return {chain: EvmChainReader(node) for chain, node in nodes.items()}


def senders(settings: Settings, nodes: Mapping[ChainId, EvmNode]) -> Mapping[ChainId, ChainSender]:
    """Return what sends on each chain.

    Raises:
        WrongSettings: no key is named, or it is the key of other addresses than the settings say.
        KeyFileRefused, KeystoreRefused, NoSuchKey: a key cannot be had.
        KeyWrapperUnavailable: what opens the keystore does not answer.
    """
    made: dict[ChainId, ChainSender] = {}
    for chain in settings.evm_chains:
        node = nodes[ChainId(chain.id)]
        made[node.chain.chain] = EvmChainSender(
            node,
            evm_signer(settings, chain),
            deposits=evm_deposit_signer(settings, chain, tokens=node.chain.token_addresses()),
        )
    return made


def provider_health(nodes: Mapping[ChainId, EvmNode]) -> Mapping[ChainId, ProviderHealth]:
    """Return how the providers of each chain serve."""
    return {chain: EvmProviderHealth(node.providers) for chain, node in nodes.items()}


def fee_markets(nodes: Mapping[ChainId, EvmNode]) -> Mapping[ChainId, FeeMarket]:
    """Return what tells each chain's fees."""
    return {chain: EvmFeeMarket(node) for chain, node in nodes.items()}


def addresses(settings: Settings) -> Mapping[ChainId, DepositAddresses]:
    """Return what derives each chain's deposit addresses: the same on all of them.

    Raises:
        WrongSettings: the extended public key is none.
    """
    account(settings.keys.xpub)
    derived = XpubAddresses(settings.keys.xpub)
    return {ChainId(chain.id): derived for chain in settings.evm_chains}


def _evm_chain(chain: EvmChainSetting, known: Assets) -> EvmChain:
    name = ChainId(chain.id)
    here = [asset for asset in known.by_id.values() if chain_of(asset.id) == name]
    tokens = tuple(asset for asset in here if "/erc20:" in asset.id)
    network = networks().get(name) or Network(id=name, name=name, coin="ETH")
    oracle = network.data_fee_oracle
    return EvmChain(
        chain_id=chain_number(name),
        rpc_url=chain.rpc_url,
        tokens=tokens,
        decimals_unread=frozenset(each.id for each in tokens if network.is_silent(each.id)),
        native_symbol=network.coin,
        gas_model=network.gas_model,
        data_fee_oracle=None if oracle is None else oracle.lower(),
        escrow=chain.escrow_contract.lower(),
        collector=None if chain.collector_contract is None else chain.collector_contract.lower(),
        collects_to=None if chain.collector_contract is None else chain.hot_wallet.lower(),
        first_block=chain.first_block,
        confirmations=chain.confirmations,
        age_seconds=chain.age_seconds,
        fees=FeeLimits(
            max_fee_per_gas_wei=chain.fee_cap_gwei * GWEI,
            min_tip_wei=chain.min_tip_wei,
            price_step_wei=network.price_step_wei,
            stuck_after_blocks=chain.stuck_after_blocks,
            replacements_max=chain.replacements_max,
        ),
        request_timeout_seconds=chain.request_timeout_seconds,
        more_rpc_urls=chain.more_rpc_urls,
        quorum=chain.quorum,
        shows_coins=chain.coins,
    )
