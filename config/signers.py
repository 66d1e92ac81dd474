"""Who signs for the worker: itself, with keys from files or the keystore, or a process apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.evm.addresses import ExtendedPublicKey, NotAnExtendedPublicKey, PrivateKeyGiven
from adapters.evm.deposit_signer import LocalDepositSigner
from adapters.evm.names import chain_number
from adapters.evm.private_keys import ExtendedPrivateKey
from adapters.evm.signer import LocalSigner
from adapters.keys.keystore import KeystoreRefused
from adapters.signer_process.client import RemoteDepositSigner, RemoteSigner, SignerAddress
from adapters.system.secret_files import read_key
from config.keystores import DEPOSITS, HOT_WALLET, keystore
from config.settings import WrongSettings
from domain.shared.money import ChainId

if TYPE_CHECKING:
    from collections.abc import Collection

    from config.chains import EvmChainSetting
    from config.keys import SignerConnection
    from config.settings import Settings
    from ports.signer import DepositSigner, Signer


def evm_signer(settings: Settings, chain: EvmChainSetting) -> Signer:
    """Return what signs for the hot wallet of a chain.

    Raises:
        WrongSettings: no key is named, or it is the key of other addresses than the settings say.
        KeyFileRefused, KeystoreRefused, NoSuchKey: the key cannot be had.
        KeyWrapperUnavailable: what opens the keystore does not answer.
    """
    keys, hot_wallet = settings.keys, chain.hot_wallet.lower()
    if settings.signer is not None and keys.hot_wallet_key is not None:
        return RemoteSigner(
            signer_address(settings.signer),
            key=keys.hot_wallet_key,
            chain=chain.id,
            address=hot_wallet,
        )
    number = chain_number(ChainId(chain.id))
    if keys.hot_wallet_key is not None:
        secret = kept(settings, keys.hot_wallet_key, family="eip155", purpose=HOT_WALLET)
        signer, named = LocalSigner(secret, chain_id=number), keys.hot_wallet_key
    elif keys.hot_wallet_file is not None:
        file = keys.hot_wallet_file
        signer, named = LocalSigner.from_file(file, chain_id=number), str(file)
    else:
        raise WrongSettings(
            ("settings.keys.hot_wallet_file or hot_wallet_key is needed in this process",)
        )
    if signer.address != hot_wallet:
        raise WrongSettings((f"{named} is not the key of {chain.hot_wallet}",))
    return signer


def evm_deposit_signer(
    settings: Settings, chain: EvmChainSetting, *, tokens: Collection[str]
) -> DepositSigner | None:
    """Return what signs for the deposit addresses of a chain, if anybody has the key.

    Raises:
        WrongSettings: it is another key than that of the deposit addresses.
        KeyFileRefused, KeystoreRefused, NoSuchKey: the key cannot be had.
        KeyWrapperUnavailable: what opens the keystore does not answer.
    """
    keys, hot_wallet = settings.keys, chain.hot_wallet.lower()
    number, contract = chain_number(ChainId(chain.id)), chain.collector_contract
    collector = None if contract is None else contract.lower()
    if keys.deposit_key is not None and settings.signer is not None:
        return RemoteDepositSigner(
            signer_address(settings.signer), key=keys.deposit_key, chain=chain.id
        )
    if keys.deposit_key is not None:
        secret = kept(settings, keys.deposit_key, family="eip155", purpose=DEPOSITS)
        named = keys.deposit_key
        signer = LocalDepositSigner(
            ExtendedPrivateKey.parse(secret.decode("ascii")),
            chain_id=number,
            hot_wallet=hot_wallet,
            tokens=tokens,
            collector=collector,
        )
    elif keys.deposit_key_file is not None:
        named = str(keys.deposit_key_file)
        signer = LocalDepositSigner.from_file(
            keys.deposit_key_file,
            chain_id=number,
            hot_wallet=hot_wallet,
            tokens=tokens,
            collector=collector,
        )
    else:
        return None
    if signer.account != account(keys.xpub):
        raise WrongSettings((f"{named} is not the key of settings.keys.xpub",))
    return signer


def kept(settings: Settings, id: str, *, family: str, purpose: str) -> bytes:
    """Return a key of the keystore that is for one purpose, and for no other.

    Raises:
        WrongSettings: there is no keystore.
        KeyFileRefused, KeystoreRefused, NoSuchKey: the key cannot be had, or is for something
            else.
        KeyWrapperUnavailable: what opens the keystore does not answer.
    """
    if settings.keystore is None:
        raise WrongSettings((f"settings.keystore is needed, because it has the key {id}",))
    opened = keystore(settings.keystore)
    label, secret = opened.open(id)
    if (label.family, label.purpose) != (family, purpose):
        raise KeystoreRefused(
            opened.directory / id, f"is for {label.family}/{label.purpose}, not {family}/{purpose}"
        )
    return secret


def signer_address(connection: SignerConnection) -> SignerAddress:
    """Return where the signer is.

    Raises:
        KeyFileRefused: the secret's file is missing, open to others, or holds none.
    """
    place = connection.port if connection.socket is None else connection.socket
    if place is None:
        raise WrongSettings(("signer has either a socket or a port",))
    file = connection.secret_file
    return SignerAddress(
        place=place,
        secret=None if file is None else read_key(file),
        timeout_seconds=connection.timeout_seconds,
    )


def account(xpub: str) -> ExtendedPublicKey:
    """Read the extended public key of the settings.

    Raises:
        WrongSettings: it is none.
    """
    try:
        return ExtendedPublicKey.parse(xpub)
    except (NotAnExtendedPublicKey, PrivateKeyGiven) as error:
        raise WrongSettings((f"{error} @ settings.keys.xpub",)) from None
