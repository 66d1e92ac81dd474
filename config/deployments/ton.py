"""TON as the settings say: liteservers, readers, senders and deposit wallets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from adapters.system.secret_files import KeyFileRefused, read_secret
from adapters.ton.addresses import NotATonAddress, TonAddress
from adapters.ton.deposit_wallet import DepositWallets
from adapters.ton.fees import DEVNET, TETHER
from adapters.ton.liteservers import Liteservers
from adapters.ton.reader import TonChainReader
from adapters.ton.second_source import Sources
from adapters.ton.sender import TonChainSender
from adapters.ton.settings import TESTNET, Jetton, TonChain
from adapters.ton.toncenter import Toncenter
from config.modes import mode_of
from config.settings import WrongSettings
from config.ton_signers import ton_deposits, ton_signer
from domain.chains.places import Places
from domain.customers.reach import reach_of
from domain.intents.model import Method
from domain.shared.money import ChainId, asset_id, chain_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.chains import TonChainSetting
    from config.settings import Settings
    from domain.shared.money import Asset, AssetId, Assets
    from ports.chain import ChainReader, ChainSender
    from ports.clock import Clock
    from ports.deposit_addresses import DepositAddresses
    from ports.unit_of_work import Begin

TONCENTER_KEY_BYTES_MAX: Final = 300

_LIMITS = {"tether": TETHER, "devnet": DEVNET}
_JETTON = "/jetton:"


def native(chain: TonChainSetting) -> AssetId:
    """Return the chain's coin: number 607 of SLIP-44, whatever it is called at the time."""
    return asset_id(f"{chain.id}/slip44:607")


def places(chain: TonChainSetting) -> Places:
    """Return where the gateway's money lies on the chain.

    Raises:
        WrongSettings: the hot wallet's address is none.
    """
    try:
        hot_wallet = TonAddress.parse(chain.hot_wallet).raw
    except NotATonAddress as error:
        raise WrongSettings((f"{error} @ hot_wallet of {chain.id}",)) from error
    deposits = {Method.ADDRESS} if chain.deposit_public_key is not None else set()
    return Places(
        chain=ChainId(chain.id),
        native=native(chain),
        escrow_contract=None,
        hot_wallet=hot_wallet,
        treasury=None,
        first_block=chain.first_block,
        methods=frozenset({Method.MEMO, *deposits}),
        shows_coins=True,
        mode=mode_of(chain),
        devnet=chain.devnet,
    )


def networks(settings: Settings, known: Assets) -> Mapping[ChainId, TonChain]:
    """Return what the adapters are told of each network.

    Raises:
        WrongSettings: a configuration cannot be read, the chain's coin is not among the assets,
            or a jetton's name is none.
    """
    return {ChainId(chain.id): _network(chain, known) for chain in settings.ton_chains}


def liteservers(networks: Mapping[ChainId, TonChain]) -> Mapping[ChainId, Liteservers]:
    """Return what asks each network's liteservers; none is connected yet."""
    return {name: Liteservers(network) for name, network in networks.items()}


def toncenters(networks: Mapping[ChainId, TonChain]) -> Mapping[ChainId, Toncenter]:
    """Return the second source of each network that has one; none is asked yet."""
    return {
        name: Toncenter(network.toncenter_url, key=network.toncenter_key)
        for name, network in networks.items()
        if network.toncenter_url is not None
    }


def sources(
    networks: Mapping[ChainId, TonChain],
    servers: Mapping[ChainId, Liteservers],
    toncenters: Mapping[ChainId, Toncenter],
    clock: Clock,
) -> Mapping[ChainId, Sources]:
    """Return what watches over each network's liteservers."""
    return {
        name: Sources(servers[name], network, clock=clock, second=toncenters.get(name))
        for name, network in networks.items()
    }


def readers(
    places: Mapping[ChainId, Places],
    networks: Mapping[ChainId, TonChain],
    servers: Mapping[ChainId, Liteservers],
    sources: Mapping[ChainId, Sources],
    begin: Begin,
) -> Mapping[ChainId, ChainReader]:
    """Return what reads each network."""
    return {
        name: TonChainReader(
            servers[name],
            network,
            hot_wallet=places[name].hot_wallet,
            owners=OwnedWallets(begin, places[name]),
            sources=sources[name],
        )
        for name, network in networks.items()
    }


def senders(
    settings: Settings,
    networks: Mapping[ChainId, TonChain],
    servers: Mapping[ChainId, Liteservers],
    sources: Mapping[ChainId, Sources],
    clock: Clock,
) -> Mapping[ChainId, ChainSender]:
    """Return what sends on each network.

    Raises:
        WrongSettings: no key is named, or it is the key of other wallets than the settings say.
        KeyFileRefused, KeystoreRefused, NoSuchKey: a key cannot be had.
        KeyWrapperUnavailable: what opens the keystore does not answer.
    """
    made: dict[ChainId, ChainSender] = {}
    for chain in settings.ton_chains:
        name = ChainId(chain.id)
        wallet, signer = ton_signer(settings, chain)
        made[name] = TonChainSender(
            servers[name],
            networks[name],
            wallet=wallet,
            signer=signer,
            clock=clock,
            deposits=ton_deposits(settings, chain, hot_wallet=signer.address),
            sources=sources[name],
        )
    return made


def addresses(settings: Settings) -> Mapping[ChainId, DepositAddresses]:
    """Return what derives each network's deposit wallets, where there are any."""
    return {
        ChainId(chain.id): DepositWallets(public_key=bytes.fromhex(chain.deposit_public_key))
        for chain in settings.ton_chains
        if chain.deposit_public_key is not None
    }


class OwnedWallets:
    """Says which deposit wallets there are; so it is stored."""

    def __init__(self, begin: Begin, places: Places) -> None:
        self._begin = begin
        self._chain = places.chain
        self._reach = reach_of(places.chain, places.mode)

    async def __call__(self) -> Sequence[str]:
        """Return the addresses of intents and of customers."""
        async with self._begin() as work:
            return [
                *await work.intents.deposit_addresses(chain=self._chain),
                *await work.customers.issued(reach=self._reach),
            ]


def _network(chain: TonChainSetting, known: Assets) -> TonChain:
    try:
        config = json.loads(chain.network_config_file.read_bytes())
    except OSError as error:
        raise WrongSettings((f"{chain.network_config_file}: {error.strerror}",)) from error
    except ValueError as error:
        raise WrongSettings((f"{chain.network_config_file} is not JSON",)) from error
    if not isinstance(config, dict) or not config.get("liteservers"):
        raise WrongSettings((f"{chain.network_config_file} names no liteservers",))
    coin = known.by_id.get(native(chain))
    if coin is None:
        raise WrongSettings((f"{native(chain)} is not one of the assets",))
    here = [asset for asset in known.by_id.values() if chain_of(asset.id) == chain.id]
    return TonChain(
        global_id=int(chain.id.partition(":")[2]),
        config=config,
        native=coin,
        jettons=tuple(_jetton(asset, chain) for asset in here if _JETTON in asset.id),
        request_timeout_seconds=chain.request_timeout_seconds,
        message_seconds=chain.message_seconds,
        stale_seconds=chain.stale_seconds,
        toncenter_url=chain.toncenter_url,
        toncenter_key=_toncenter_key(chain),
        toncenter_required=chain.toncenter_required,
    )


def _toncenter_key(chain: TonChainSetting) -> str | None:
    """Read the key, which no message shows.

    Raises:
        KeyFileRefused: the file is missing, open to others, or holds no key.
    """
    file = chain.toncenter_key_file
    if file is None:
        return None
    key = read_secret(file, bytes_max=TONCENTER_KEY_BYTES_MAX).strip()
    if not key.isascii() or not key.isalnum():
        raise KeyFileRefused(file, "does not hold a key")
    return key.decode("ascii")


def _jetton(asset: Asset, chain: TonChainSetting) -> Jetton:
    """Take a jetton by its master's address, which has one spelling in names of assets."""
    text = asset.id.partition(_JETTON)[2]
    try:
        master = TonAddress.parse(text)
    except NotATonAddress as error:
        raise WrongSettings((f"{error} @ settings.assets",)) from error
    spelt = master.friendly(bounceable=True, test_only=chain.id == f"ton:{TESTNET}")
    if text != spelt:
        raise WrongSettings((f"{asset.id} has to be spelt {chain.id}{_JETTON}{spelt}",))
    return Jetton(asset, master.raw, limits=_LIMITS[chain.jetton_limits])
