from __future__ import annotations

import secrets
import subprocess
import sys

import pytest
from bip_utils import (  # type: ignore[import-untyped]  # It ships no types.
    Bip32KeyIndex,
    Bip32Slip10Secp256k1,
    Bip44,
    Bip44Changes,
    Bip44Coins,
)
from coincurve import PrivateKey

from adapters.evm.addresses import (
    HARDENED,
    IndexOutOfRange,
    NotAnExtendedPublicKey,
    PrivateKeyGiven,
    XpubAddresses,
)
from adapters.evm.base58 import MalformedBase58, decode_checked, encode_checked
from adapters.evm.curve import address_of_point
from adapters.evm.devnet.accounts import DEVNET_MNEMONIC
from adapters.evm.wallet_seed import (
    MalformedPhrase,
    account_xpub,
    deposit_key,
    new_phrase,
    seed_of,
)
from tests.contracts.deposit_addresses import DepositAddressesContract

DEVNET_FIRST = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
"""The first account of the public test phrase, as Hardhat and Foundry print it."""


class TestContract(DepositAddressesContract):
    @pytest.fixture
    def addresses(self) -> XpubAddresses:
        return XpubAddresses(account_xpub(seed_of(DEVNET_MNEMONIC)))


def test_finds_the_address_that_every_wallet_finds() -> None:
    xpub = account_xpub(seed_of(DEVNET_MNEMONIC))

    assert XpubAddresses(xpub).derive(0) == DEVNET_FIRST


@pytest.mark.parametrize("account", [0, 3])
def test_agrees_with_bip_utils_on_random_seeds(account: int) -> None:
    for _ in range(5):
        seed = secrets.token_bytes(64)
        theirs = Bip44.FromSeed(seed, Bip44Coins.ETHEREUM).Purpose().Coin().Account(account)
        xpub = account_xpub(seed, account=account)
        addresses = XpubAddresses(xpub)
        external = theirs.Change(Bip44Changes.CHAIN_EXT)

        assert xpub == theirs.PublicKey().ToExtended()
        for index in (0, 1, 2**16, HARDENED - 1):
            expected = external.AddressIndex(index).PublicKey().ToAddress().lower()
            assert addresses.derive(index) == expected


def test_the_private_key_of_an_address_is_derived_by_the_same_path() -> None:
    seed = secrets.token_bytes(64)
    address = XpubAddresses(account_xpub(seed, account=1)).derive(42)

    key = PrivateKey(deposit_key(seed, 42, account=1))

    assert address_of_point(key.public_key) == address


def test_refuses_a_private_key_without_repeating_it() -> None:
    xprv = Bip32Slip10Secp256k1.FromSeed(secrets.token_bytes(32)).PrivateKey().ToExtended()

    with pytest.raises(PrivateKeyGiven) as refusal:
        XpubAddresses(xprv)

    assert "xprv9" not in str(refusal.value) + repr(refusal.value)
    assert xprv[4:20] not in repr(refusal.getrepr())


@pytest.mark.parametrize("text", ["", "xpub", "0OIl", "xpub" + "1" * 300, encode_checked(b"abc")])
def test_refuses_what_is_no_extended_public_key(text: str) -> None:
    with pytest.raises(NotAnExtendedPublicKey):
        XpubAddresses(text)


def test_refuses_a_key_with_one_wrong_character() -> None:
    xpub = account_xpub(secrets.token_bytes(64))
    wrong = xpub[:50] + ("2" if xpub[50] != "2" else "3") + xpub[51:]

    with pytest.raises(NotAnExtendedPublicKey):
        XpubAddresses(wrong)


def test_refuses_a_point_that_is_not_on_the_curve() -> None:
    raw = decode_checked(account_xpub(secrets.token_bytes(64)))
    off_the_curve = encode_checked(raw[:45] + b"\x02" + bytes(31) + b"\x05")

    with pytest.raises(NotAnExtendedPublicKey):
        XpubAddresses(off_the_curve)


@pytest.mark.parametrize("index", [-1, HARDENED, 2**40])
def test_there_are_no_hardened_addresses_under_a_public_key(index: int) -> None:
    addresses = XpubAddresses(account_xpub(secrets.token_bytes(64)))

    with pytest.raises(IndexOutOfRange):
        addresses.derive(index)


def test_hardened_children_agree_with_bip_utils() -> None:
    seed = secrets.token_bytes(32)
    theirs = Bip32Slip10Secp256k1.FromSeed(seed).ChildKey(Bip32KeyIndex.HardenIndex(44))

    ours = Bip44.FromSeed(seed, Bip44Coins.ETHEREUM).Purpose()

    assert ours.PublicKey().ToExtended() == theirs.PublicKey().ToExtended()


@pytest.mark.parametrize("raw", [b"", b"\0\0\1", bytes(10), bytes(range(60))])
def test_base58_round_trips(raw: bytes) -> None:
    assert decode_checked(encode_checked(raw)) == raw


def test_base58_refuses_a_wrong_checksum() -> None:
    with pytest.raises(MalformedBase58):
        decode_checked("1111111")


def test_a_phrase_is_checked_and_never_repeated() -> None:
    words = "legal winner thank year wave sausage worth useful legal winner thank wrong"

    with pytest.raises(MalformedPhrase) as refusal:
        seed_of(words)

    assert "sausage" not in str(refusal.value)


def test_new_phrases_are_valid_and_differ() -> None:
    one, other = new_phrase(), new_phrase()

    assert len(one.split()) == 24
    assert seed_of(one) != seed_of(other)
    assert seed_of(one) != seed_of(one, passphrase="more")


def test_the_api_s_modules_bring_in_no_private_keys_and_no_web3() -> None:
    script = (
        "import sys, adapters.evm.addresses, adapters.evm.escrow_contract, adapters.evm.settings;"
        "print(sorted(n for n in ('web3', 'eth_account', 'adapters.evm.wallet_seed',"
        " 'adapters.evm.signer') if n in sys.modules))"
    )
    found = subprocess.run(  # noqa: S603 - a literal script
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )

    assert found.stdout.strip() == "[]"
