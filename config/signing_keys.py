"""The signer's keys, opened and joined with what they may sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.evm.deposit_signer import LocalDepositSigner
from adapters.evm.names import chain_number
from adapters.evm.outside_signer import OutsideSigner
from adapters.evm.private_keys import ExtendedPrivateKey
from adapters.evm.signed_calls import EvmTransactionReader
from adapters.evm.signer import LocalSigner
from adapters.keys.pkcs11 import TokenKey, TokenPlace
from adapters.ton import signer as ton
from adapters.ton.addresses import NotATonAddress, TonAddress
from adapters.ton.signed_messages import TonBatchReader, TonSweepReader
from config.keystores import DEPOSITS, HOT_WALLET
from config.settings import WrongSettings
from domain.shared.money import ChainId, asset_id
from domain.signing.model import Act
from domain.signing.service import SigningKey

if TYPE_CHECKING:
    from adapters.keys.keystore import Keystore
    from config.policies import SigningKeySetting, TokenSetting
    from ports.signer import DepositSigner, Signer
    from ports.signing import TransactionReader

EVM: Final = "eip155"
TON: Final = "ton"
_ACTS: Final = {
    (EVM, HOT_WALLET): {Act.PAYOUT, Act.GAS, Act.RELEASE, Act.REFUND, Act.COLLECT},
    (EVM, DEPOSITS): {Act.SWEEP, Act.DELEGATE},
    (TON, HOT_WALLET): {Act.PAYOUT, Act.GAS},
    (TON, DEPOSITS): {Act.SWEEP},
}
"""What keys of a purpose in a family can sign at all."""


def signing_key(setting: SigningKeySetting, keys: Keystore) -> SigningKey:
    """Open a key, and put it and its policy together.

    Raises:
        WrongSettings: it is no key for what it is to sign, or not the hot wallet's.
        KeyFileRefused, KeystoreRefused, NoSuchKey, TokenRefused: it cannot be opened.
        ExtraMissing: it is in a token, and the package for that is not installed.
        KeyWrapperUnavailable: the wrapping key is somewhere that does not answer.
    """
    namespace = setting.chain.partition(":")[0]
    if setting.token is not None:
        if namespace != EVM:
            raise WrongSettings((f"a token signs for no chain of {namespace}",))
        _check_acts(setting, EVM, HOT_WALLET)
        return _of_wallet(setting, _in_token(setting, setting.token), _evm_reader(setting))
    label, secret = keys.open(setting.id)
    if label.family != namespace:
        raise WrongSettings((f"the key {setting.id} is for {label.family}, not {setting.chain}",))
    _check_acts(setting, label.family, label.purpose)
    match label.family, label.purpose:
        case "eip155", "hot-wallet":
            signer = LocalSigner(secret, chain_id=_number(setting), max_fee_wei=setting.fee_max)
            return _of_wallet(setting, signer, _evm_reader(setting))
        case "eip155", "deposits":
            return _of_deposits(setting, _evm_deposits(setting, secret), _evm_reader(setting))
        case "ton", "hot-wallet":
            return _ton_wallet(setting, secret)
        case _:
            deposits = ton.LocalDepositSigner(secret, hot_wallet=_raw(setting.hot_wallet))
            return _of_deposits(setting, deposits, TonSweepReader(ChainId(setting.chain)))


def _check_acts(setting: SigningKeySetting, family: str, purpose: str) -> None:
    possible = _ACTS.get((family, purpose), set())
    if not {Act(act) for act in setting.acts} <= possible:
        raise WrongSettings((f"a key for {purpose} does not sign {', '.join(setting.acts)}",))


def _of_wallet(
    setting: SigningKeySetting, signer: Signer, reader: TransactionReader
) -> SigningKey:
    named = setting.hot_wallet
    own = _raw(named) if setting.chain.startswith(TON) else named.lower()
    if signer.address != own:
        raise WrongSettings((f"{setting.id} is not the key of {named}",))
    return SigningKey(id=setting.id, signer=signer, reader=reader, policy=setting.policy)


def _of_deposits(
    setting: SigningKeySetting, deposits: DepositSigner, reader: TransactionReader
) -> SigningKey:
    return SigningKey(id=setting.id, deposits=deposits, reader=reader, policy=setting.policy)


def _in_token(setting: SigningKeySetting, token: TokenSetting) -> Signer:
    pin = TokenPlace.read_pin(token.pin_file)
    place = TokenPlace(library=token.library, token=token.token, key=token.key, pin=pin)
    return OutsideSigner(TokenKey(place), chain_id=_number(setting), max_fee_wei=setting.fee_max)


def _evm_deposits(setting: SigningKeySetting, secret: bytes) -> DepositSigner:
    return LocalDepositSigner(
        ExtendedPrivateKey.parse(secret.decode("ascii")),
        chain_id=_number(setting),
        hot_wallet=setting.hot_wallet.lower(),
        tokens=[asset.partition("/erc20:")[2] for asset in setting.policy.limits],
        collector=_lower(setting.collector_contract),
    )


def _evm_reader(setting: SigningKeySetting) -> TransactionReader:
    return EvmTransactionReader(
        ChainId(setting.chain),
        escrow_contract=_lower(setting.escrow_contract),
        hot_wallet=setting.hot_wallet.lower(),
        collector=_lower(setting.collector_contract),
    )


def _lower(address: str | None) -> str | None:
    return None if address is None else address.lower()


def _ton_wallet(setting: SigningKeySetting, secret: bytes) -> SigningKey:
    signer = ton.LocalHighloadSigner(
        secret, timeout_seconds=setting.message_seconds, allowance_max=setting.fee_max
    )
    jettons = {_raw(each.address): asset_id(each.asset) for each in setting.jetton_wallets}
    reader = TonBatchReader(ChainId(setting.chain), wallet=signer.wallet, jetton_wallets=jettons)
    return _of_wallet(setting, signer, reader)


def _number(setting: SigningKeySetting) -> int:
    return chain_number(ChainId(setting.chain))


def _raw(address: str) -> str:
    try:
        return TonAddress.parse(address).raw
    except NotATonAddress as error:
        raise WrongSettings((f"{error} @ settings.keys",)) from error
