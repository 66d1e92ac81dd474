from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytoniq import HighloadWalletV3
from pytoniq_core import Cell
from pytoniq_core.crypto.keys import crypto_sign_seed_keypair
from pytoniq_core.crypto.signature import sign_message

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import MalformedCell, Writer
from adapters.ton.highload import (
    QUERIES_PER_ROUND,
    HighloadBatch,
    HighloadWallet,
    NotOurSignature,
    place_in_round,
    query_id,
)
from adapters.ton.internal import InternalMessage, coin_transfer, jetton_transfer
from adapters.ton.messages import JettonTransfer, comment
from tests.adapters.ton.strategies import KEY, messages

PUBLIC, SECRET = crypto_sign_seed_keypair(KEY)
WALLET = HighloadWallet(public_key=PUBLIC, timeout_seconds=7_200)
ALICE = TonAddress(0, b"\xaa" * 32)


def sign(digest: bytes) -> bytes:
    return sign_message(digest, SECRET)


def batch(*transfers: InternalMessage, sequence: int = 0) -> HighloadBatch:
    return HighloadBatch(
        query=query_id(sequence),
        created_at=1_790_000_000,
        transfers=transfers or (coin_transfer(destination=ALICE, amount=5, bounce=False),),
        allowance=10_000_000,
    )


batches = st.builds(
    HighloadBatch,
    query=st.integers(0, QUERIES_PER_ROUND - 1).map(query_id),
    created_at=st.integers(0, (1 << 40) - 1),
    transfers=st.lists(messages, min_size=1, max_size=4),
    allowance=st.integers(0, 10**12),
)


def test_the_code_is_the_official_build() -> None:
    # build/HighloadWalletV3.compiled.json of ton-blockchain/highload-wallet-contract-v3.
    assert (
        WALLET.init.code.hash.hex()
        == "11acad7955844090f283bf238bc1449871f783e7cc0979408d3f4859483e8525"
    )


@pytest.mark.parametrize("timeout", [60, 3_600, 7_200])
def test_the_address_is_the_library_s(timeout: int) -> None:
    wallet = HighloadWallet(public_key=PUBLIC, timeout_seconds=timeout, subwallet_id=7)
    state = HighloadWalletV3.create_data_cell(PUBLIC, 7, timeout=timeout)
    assert wallet.init.state == state


def test_the_first_query_ids() -> None:
    # wrappers/HighloadQueryId.ts of the contract: 1,023 bits a shift, the shift above ten bits.
    assert [query_id(each) for each in (0, 1, 1_022, 1_023, 1_024)] == [0, 1, 1_022, 1_024, 1_025]
    assert query_id(QUERIES_PER_ROUND - 1) == 8_191 << 10 | 1_021
    assert QUERIES_PER_ROUND == 8_380_415


@given(st.integers(0, 10**12))
def test_a_query_id_never_names_the_bit_that_is_not_there(sequence: int) -> None:
    query = query_id(sequence)
    assert 0 <= query < 1 << 23
    assert query & 0x3FF != 1_023
    assert place_in_round(query) == sequence % QUERIES_PER_ROUND
    assert query_id(sequence + QUERIES_PER_ROUND) == query


def test_no_id_is_given_out_twice_in_a_round() -> None:
    ends = [*range(3_000), *range(QUERIES_PER_ROUND - 3_000, QUERIES_PER_ROUND)]
    assert len({query_id(each) for each in ends}) == len(ends)


@pytest.mark.parametrize("query", [-1, 1_023, 2_047, (8_191 << 10) + 1_022, 1 << 23])
def test_what_is_not_given_out_is_no_batch_s(query: int) -> None:
    with pytest.raises(ValueError, match="no query id"):
        place_in_round(query)
    with pytest.raises(ValueError, match="no query id"):
        attrs.evolve(batch(), query=query)


def test_a_sequence_does_not_count_down() -> None:
    with pytest.raises(ValueError, match="count down"):
        query_id(-1)


@settings(max_examples=30)
@given(batches)
def test_what_is_signed_is_read_back(told: HighloadBatch) -> None:
    unsigned = WALLET.unsigned(told)
    assert WALLET.read(Cell.one_from_boc(unsigned.to_boc())) == told


@settings(max_examples=30)
@given(batches, st.booleans())
def test_the_same_arguments_give_the_same_bytes(
    told: HighloadBatch,
    deploy: bool,  # noqa: FBT001 - given by hypothesis.
) -> None:
    first = WALLET.message(told, sign=sign, deploy=deploy)
    again = WALLET.message(attrs.evolve(told), sign=sign, deploy=deploy)
    assert first.to_boc() == again.to_boc()
    assert first.normalized_hash == again.normalized_hash


def test_the_bytes_of_a_batch_do_not_change_between_versions() -> None:
    memo = jetton_transfer(
        jetton_wallet=ALICE,
        attached=50_000_000,
        transfer=JettonTransfer(
            query_id=1,
            amount=2,
            destination=ALICE,
            response_destination=WALLET.address,
            forward_amount=1,
            forward_payload=comment("memo"),
        ),
    )
    message = WALLET.message(
        batch(coin_transfer(destination=ALICE, amount=5, bounce=False, memo="m"), memo),
        sign=sign,
        deploy=True,
    )
    assert message.normalized_hash.hex() == (
        "5424ff057016cb1e6e2150b37ae8da13cf0d9044c21ac5953b1002f1fe0eeeeb"
    )


def test_a_message_expires_with_the_wallet_s_timeout() -> None:
    message = WALLET.message(batch(), sign=sign, deploy=False)
    assert message.expires_at == 1_790_000_000 + 7_200
    assert message.init is None
    assert message.destination == WALLET.address


def test_another_query_is_another_message() -> None:
    names = {
        WALLET.message(batch(sequence=each), sign=sign, deploy=False).normalized_hash
        for each in range(5)
    }
    assert len(names) == 5


def test_a_transfer_carries_its_flag_and_the_wallet_s_own_message_does_not_bounce() -> None:
    told = batch(
        coin_transfer(destination=ALICE, amount=5, bounce=False),
        coin_transfer(destination=ALICE, amount=6, bounce=True),
    )
    inner = InternalMessage.parse(WALLET.unsigned(told).refs[0])
    assert not inner.bounce
    assert inner.destination == WALLET.address
    assert inner.value == 11 + told.allowance
    assert [each.bounce for each in WALLET.read(WALLET.unsigned(told)).transfers] == [False, True]


def test_a_batch_has_1_to_250_transfers() -> None:
    one = coin_transfer(destination=ALICE, amount=1, bounce=False)
    assert len(WALLET.read(WALLET.unsigned(batch(*[one] * 250))).transfers) == 250
    for count in (0, 251):
        with pytest.raises(ValueError, match="transfers"):
            attrs.evolve(batch(), transfers=[one] * count)


def test_a_signature_of_another_key_or_order_is_refused() -> None:
    unsigned = WALLET.unsigned(batch())
    for wrong in (bytes(64), sign(WALLET.unsigned(batch(sequence=1)).hash), b""):
        with pytest.raises(NotOurSignature):
            WALLET.signed(unsigned, signature=wrong, deploy=False)


def test_a_signer_does_not_read_what_is_not_for_its_wallet() -> None:
    other = attrs.evolve(WALLET, timeout_seconds=3_600)
    with pytest.raises(MalformedCell):
        other.read(WALLET.unsigned(batch()))
    told = WALLET.unsigned(batch())
    ignoring = Writer().bits(told.bits.to01()[:32]).uint(3, 8)
    with pytest.raises(MalformedCell):
        WALLET.read(ignoring.bits(told.bits.to01()[40:]).reference(told.refs[0]).end())
    with pytest.raises(MalformedCell):
        WALLET.read(Writer().contents(told).bits("0").end())


def test_a_key_has_32_bytes_and_a_timeout_22_bits() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        attrs.evolve(WALLET, public_key=bytes(64))
    with pytest.raises(ValueError, match="timeout"):
        attrs.evolve(WALLET, timeout_seconds=1 << 22)
