from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytoniq import WalletV4R2
from pytoniq_core import Cell
from pytoniq_core.crypto.keys import crypto_sign_seed_keypair
from pytoniq_core.crypto.signature import sign_message
from pytoniq_core.tlb.custom.wallet import WalletMessage
from pytoniq_core.tlb.transaction import MessageAny

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import MalformedCell, Writer
from adapters.ton.deposit_wallet import (
    SUBWALLETS,
    WALLET_ID,
    DepositWallet,
    DepositWallets,
    IndexOutOfRange,
    Sweep,
)
from adapters.ton.highload import NotOurSignature
from adapters.ton.internal import InternalMessage, coin_transfer, jetton_transfer
from adapters.ton.messages import JettonTransfer
from tests.adapters.ton.strategies import KEY, messages

PUBLIC, SECRET = crypto_sign_seed_keypair(KEY)
WALLETS = DepositWallets(public_key=PUBLIC, base=WALLET_ID)
HOT = TonAddress(0, b"\xee" * 32)

sweeps = st.builds(
    Sweep,
    message=messages,
    seqno=st.integers(0, (1 << 32) - 1),
    valid_until=st.integers(0, (1 << 32) - 1),
)


def sign(digest: bytes) -> bytes:
    return sign_message(digest, SECRET)


def everything(seqno: int = 0) -> Sweep:
    return Sweep(
        message=coin_transfer(destination=HOT, amount=0, bounce=False),
        seqno=seqno,
        valid_until=1_790_000_600,
        takes_everything=True,
    )


def test_the_code_is_the_official_build() -> None:
    # The hash by which explorers know wallet v4r2.
    assert (
        WALLETS.at(0).init.code.hash.hex()
        == "feb5ff6820e2ff0d9483e7e0d62c817d846789fb4ae580c878866d959dabd5c0"
    )


@pytest.mark.parametrize("index", [0, 1, 1_000_000])
def test_the_state_is_the_library_s(index: int) -> None:
    theirs = WalletV4R2.create_data_cell(PUBLIC, WALLET_ID + index)
    assert WALLETS.at(index).init.state == theirs


def test_addresses_follow_from_the_public_key_and_differ() -> None:
    addresses = [WALLETS.derive(index) for index in range(50)]
    assert len(set(addresses)) == 50
    assert WALLETS.derive(7) == addresses[7] == WALLETS.at(7).address.raw
    other, _ = crypto_sign_seed_keypair(bytes(32))
    assert attrs.evolve(WALLETS, public_key=other).derive(7) != addresses[7]


@pytest.mark.parametrize("index", [-1, SUBWALLETS - WALLET_ID])
def test_there_is_no_place_beyond_the_subwallets(index: int) -> None:
    with pytest.raises(IndexOutOfRange):
        WALLETS.derive(index)


def test_a_sweep_is_signed_as_the_library_signs() -> None:
    told = Sweep(
        message=coin_transfer(destination=HOT, amount=5, bounce=False, memo="sweep"),
        seqno=3,
        valid_until=1_790_000_600,
    )
    theirs = WalletV4R2.raw_create_transfer_msg(
        SECRET,
        seqno=3,
        wallet_id=WALLET_ID + 9,
        messages=[WalletMessage(3, MessageAny.deserialize(told.message.to_cell().begin_parse()))],
        valid_until=1_790_000_600,
    )
    ours = WALLETS.at(9).message(told, sign=sign)
    signed = ours.body.bits.to01()[:512], theirs.bits.to01()[:512]
    rest = ours.body.bits.to01()[512:], theirs.bits.to01()[512:]
    assert rest[0] == rest[1]
    # The library writes a short body in place, so that hashes differ, and signatures with them.
    assert signed[0] != signed[1]
    assert ours.init is None
    assert ours.expires_at == 1_790_000_600


def test_the_first_message_deploys_the_wallet_and_expires_as_any_other() -> None:
    message = WALLETS.at(1).message(everything(), sign=sign)
    assert message.init == WALLETS.at(1).init
    assert message.destination == WALLETS.at(1).address
    assert WALLETS.at(1).read(WALLETS.at(1).unsigned(everything())).valid_until == 1_790_000_600


@given(sweeps)
def test_what_is_signed_is_read_back_and_signed_alike(told: Sweep) -> None:
    wallet = WALLETS.at(2)
    assert wallet.read(Cell.one_from_boc(wallet.unsigned(told).to_boc())) == told
    assert (
        wallet.message(told, sign=sign).to_boc()
        == wallet.message(attrs.evolve(told), sign=sign).to_boc()
    )


def test_a_sweep_of_jettons_bounces_and_one_of_coins_does_not() -> None:
    jettons = jetton_transfer(
        jetton_wallet=HOT,
        attached=50_000_000,
        transfer=JettonTransfer(
            query_id=1, amount=10, destination=HOT, response_destination=HOT, forward_amount=0
        ),
    )
    wallet = WALLETS.at(3)
    told = Sweep(message=jettons, seqno=0, valid_until=1)
    assert InternalMessage.parse(wallet.unsigned(told).refs[0]).bounce
    assert not InternalMessage.parse(wallet.unsigned(everything()).refs[0]).bounce
    assert wallet.read(wallet.unsigned(everything())) == everything()


def test_errors_are_always_ignored_so_that_the_sequence_number_moves() -> None:
    assert everything().mode & 2
    assert Sweep(message=everything().message, seqno=0, valid_until=1).mode & 2


def test_everything_and_a_value_besides() -> None:
    with pytest.raises(ValueError, match="everything"):
        attrs.evolve(everything(), message=coin_transfer(destination=HOT, amount=1, bounce=False))


def test_what_is_not_for_this_wallet_is_not_read_nor_signed() -> None:
    wallet, other = WALLETS.at(4), WALLETS.at(5)
    unsigned = other.unsigned(everything())
    with pytest.raises(MalformedCell):
        wallet.read(unsigned)
    with pytest.raises(MalformedCell):
        wallet.signed(unsigned, signature=sign(unsigned.hash))
    with pytest.raises(NotOurSignature):
        other.signed(unsigned, signature=sign(bytes(32)))
    plugin = Writer().bits(unsigned.bits.to01()[:96]).uint(2, 8).bits(unsigned.bits.to01()[104:])
    with pytest.raises(MalformedCell):
        other.read(plugin.reference(unsigned.refs[0]).end())


def test_a_subwallet_is_32_bits() -> None:
    with pytest.raises(ValueError, match="subwallet_id"):
        DepositWallet(public_key=PUBLIC, subwallet_id=SUBWALLETS)
