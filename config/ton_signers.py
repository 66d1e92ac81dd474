"""Who signs for the worker on TON: itself, with keys from files or the keystore, or a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.signer_process.client import RemoteDepositSigner, RemoteSigner
from adapters.ton.addresses import TonAddress
from adapters.ton.deposit_wallet import DepositWallets
from adapters.ton.highload import HighloadWallet
from adapters.ton.key_file import read_key_file
from adapters.ton.prepared import Deposits
from adapters.ton.signer import LocalDepositSigner, LocalHighloadSigner
from config.keystores import DEPOSITS, HOT_WALLET
from config.settings import WrongSettings
from config.signers import kept, signer_address

if TYPE_CHECKING:
    from config.chains import TonChainSetting
    from config.settings import Settings
    from ports.signer import Signer


def ton_signer(settings: Settings, chain: TonChainSetting) -> tuple[HighloadWallet, Signer]:
    """Return the hot wallet of a network, and what signs for it.

    Raises:
        WrongSettings: no key is named, or it is the key of another wallet than the settings say.
        KeyFileRefused, KeystoreRefused, NoSuchKey: the key cannot be had.
        KeyWrapperUnavailable: what opens the keystore does not answer.
    """
    own = TonAddress.parse(chain.hot_wallet).raw
    if settings.signer is not None and chain.hot_wallet_key is not None:
        wallet = _remote_wallet(chain)
        signer: Signer = RemoteSigner(
            signer_address(settings.signer),
            key=chain.hot_wallet_key,
            chain=chain.id,
            address=wallet.address.raw,
        )
        named = "hot_wallet_public_key"
    else:
        if chain.hot_wallet_key is not None:
            named = chain.hot_wallet_key
            seed = kept(settings, named, family="ton", purpose=HOT_WALLET)
        elif chain.hot_wallet_file is not None:
            named, seed = str(chain.hot_wallet_file), read_key_file(chain.hot_wallet_file)
        else:
            raise WrongSettings((f"hot_wallet_file of {chain.id} is needed in this process",))
        local = LocalHighloadSigner(seed, timeout_seconds=chain.message_seconds)
        wallet, signer = local.wallet, local
    if signer.address != own:
        raise WrongSettings((f"{named} is not the key of {chain.hot_wallet}",))
    return wallet, signer


def ton_deposits(
    settings: Settings, chain: TonChainSetting, *, hot_wallet: str
) -> Deposits | None:
    """Return the deposit wallets of a network and what signs for them, if anybody has the key.

    Raises:
        WrongSettings: it is another key than that of the deposit wallets.
        KeyFileRefused, KeystoreRefused, NoSuchKey: the key cannot be had.
        KeyWrapperUnavailable: what opens the keystore does not answer.
    """
    public = chain.deposit_public_key
    if public is None:
        return None
    if chain.deposit_key is not None and settings.signer is not None:
        wallets = DepositWallets(public_key=bytes.fromhex(public))
        address = signer_address(settings.signer)
        signer = RemoteDepositSigner(address, key=chain.deposit_key, chain=chain.id)
        return Deposits(wallets, signer)
    if chain.deposit_key is not None:
        named = chain.deposit_key
        seed = kept(settings, named, family="ton", purpose=DEPOSITS)
    elif chain.deposit_key_file is not None:
        named, seed = str(chain.deposit_key_file), read_key_file(chain.deposit_key_file)
    else:
        return None
    local = LocalDepositSigner(seed, hot_wallet=hot_wallet)
    if local.wallets.public_key != bytes.fromhex(public):
        raise WrongSettings((f"{named} is not the key of {public}",))
    return Deposits(local.wallets, local)


def _remote_wallet(chain: TonChainSetting) -> HighloadWallet:
    if chain.hot_wallet_public_key is None:
        raise WrongSettings((f"hot_wallet_public_key of {chain.id} is needed with a signer",))
    return HighloadWallet(
        public_key=bytes.fromhex(chain.hot_wallet_public_key),
        timeout_seconds=chain.message_seconds,
    )
