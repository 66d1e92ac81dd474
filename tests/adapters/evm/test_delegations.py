"""What signers sign of EIP-7702: delegations to one contract, and batches that go there."""

# What a test changes may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from hypothesis import given
from hypothesis import strategies as st

from adapters.evm.abi import WORD
from adapters.evm.addresses import XpubAddresses
from adapters.evm.authorizations import Authorization, Delegation, NotADelegation
from adapters.evm.collector_abi import COLLECT, collect_call, collected, collector_code
from adapters.evm.contracts import artifacts
from adapters.evm.deposit_signer import LocalDepositSigner
from adapters.evm.private_keys import ExtendedPrivateKey
from adapters.evm.signed_calls import EvmTransactionReader
from adapters.evm.signer import LocalSigner
from adapters.evm.transactions import SET_CODE, NotATransaction, UnsignedTransaction
from domain.shared.money import ChainId, asset_id
from domain.signing.model import Act, Limit, Policy
from ports.signer import SigningRefused

if TYPE_CHECKING:
    from domain.signing.model import Reading

ACCOUNT = ExtendedPrivateKey.master(secrets.token_bytes(32)).account(0)
CHAIN = ChainId("eip155:56")
HOT, COLLECTOR, OTHER, TOKEN = ("0x" + digit * 40 for digit in "1c25")
INDEX = 7
SOURCE = XpubAddresses(ACCOUNT.xpub()).derive(INDEX)
READER = EvmTransactionReader(CHAIN, escrow_contract=None, hot_wallet=HOT, collector=COLLECTOR)
OURS = Delegation(chain_id=56, contract=COLLECTOR, nonce=3)
WALLET = LocalSigner(secrets.token_bytes(31) + b"\1", chain_id=56)


def signer(collector: str | None = COLLECTOR) -> LocalDepositSigner:
    return LocalDepositSigner(
        ACCOUNT, chain_id=56, hot_wallet=HOT, tokens=[TOKEN], collector=collector
    )


def authorized(delegation: Delegation = OURS) -> Authorization:
    return Authorization.decode(
        signer().sign_sweep(delegation.encode(), source=SOURCE, index=INDEX)
    )


def a_batch(**changes: Any) -> UnsignedTransaction:
    usual = UnsignedTransaction(
        chain_id=56,
        nonce=9,
        target=COLLECTOR,
        value=0,
        data=collect_call([(SOURCE, TOKEN)]),
        gas_limit=100_000,
        max_fee_per_gas=3 * 10**9,
        tip_per_gas=10**9,
        authorizations=(authorized(),),
    )
    return attrs.evolve(usual, **changes)


def read(unsigned: bytes, sender: str = HOT) -> Reading:
    return READER.read(unsigned, sender=sender)


class TestSigning:
    def test_an_address_delegates_to_the_collector(self) -> None:
        authorization = authorized()

        theirs = Account.from_key(ACCOUNT.deposit_key(INDEX)).sign_authorization(
            {"chainId": 56, "address": COLLECTOR, "nonce": 3}
        )
        assert authorization == Authorization(
            delegation=OURS, parity=theirs.y_parity, r=theirs.r, s=theirs.s
        )
        assert authorized() == authorization

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"contract": OTHER}, "no collector of ours"),
            ({"contract": HOT}, "no collector of ours"),
            ({"contract": "0x" + "0" * 40}, "no collector of ours"),
            ({"chain_id": 1}, "for chain 1"),
            ({"chain_id": 0}, "for chain 0"),
        ],
    )
    def test_nothing_else(self, changes: dict[str, Any], why: str) -> None:
        wrong = attrs.evolve(OURS, **changes).encode()

        with pytest.raises(SigningRefused, match=why):
            signer().sign_sweep(wrong, source=SOURCE, index=INDEX)
        with pytest.raises(SigningRefused, match=why):
            read(wrong, SOURCE)

    def test_nothing_at_all_without_a_collector(self) -> None:
        without = EvmTransactionReader(CHAIN, escrow_contract=None, hot_wallet=HOT)

        with pytest.raises(SigningRefused, match="no collector of ours"):
            signer(None).sign_sweep(OURS.encode(), source=SOURCE, index=INDEX)
        with pytest.raises(SigningRefused, match="no collector of ours"):
            without.read(OURS.encode(), sender=SOURCE)

    def test_only_the_address_of_the_place(self) -> None:
        with pytest.raises(SigningRefused, match="place 8"):
            signer().sign_sweep(OURS.encode(), source=SOURCE, index=INDEX + 1)

    @pytest.mark.parametrize("wrong", [b"\5", b"\5\xc0", OURS.encode() + b"\0", b"\5" + bytes(40)])
    def test_what_is_no_delegation_is_refused(self, wrong: bytes) -> None:
        with pytest.raises(NotADelegation):
            signer().sign_sweep(wrong, source=SOURCE, index=INDEX)
        with pytest.raises(NotADelegation):
            read(wrong, SOURCE)

    def test_a_deposit_address_sends_no_batch(self) -> None:
        with pytest.raises(SigningRefused, match="authorizations"):
            signer().sign_sweep(a_batch().encode(), source=SOURCE, index=INDEX)

    def test_a_wallets_key_signs_no_delegation(self) -> None:
        with pytest.raises(NotATransaction):
            WALLET.sign_transaction(OURS.encode())


class TestTransaction:
    def test_others_read_it_as_we_mean_it(self) -> None:
        raw = WALLET.sign_transaction(a_batch().encode())

        assert raw[0] == SET_CODE
        assert Account.recover_transaction(raw).lower() == WALLET.address
        theirs = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        [carried] = theirs["authorizationList"]
        assert (carried["nonce"], carried["chainId"]) == (3, 56)
        assert theirs["data"] == a_batch().data
        assert UnsignedTransaction.of_signed(raw) == a_batch()
        assert UnsignedTransaction.decode(a_batch().encode()) == a_batch()

    @pytest.mark.parametrize(
        "changes", [{"target": OTHER}, {"chain_id": 1}, {"tip_per_gas": None}]
    )
    def test_it_delegates_to_no_other_contract_than_it_calls(
        self, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(NotATransaction):
            a_batch(**changes)

    def test_nor_when_somebody_else_has_written_it(self) -> None:
        mixed = a_batch().encode().replace(bytes.fromhex(COLLECTOR[2:]), bytes(20), 1)

        with pytest.raises(NotATransaction):
            WALLET.sign_transaction(mixed)


class TestReading:
    def test_a_delegation_takes_the_place_of_the_addresss_next_transaction(self) -> None:
        reading = read(OURS.encode(), SOURCE)

        assert reading.acts == {Act.DELEGATE}
        assert reading.movements == ()
        assert (reading.slot, reading.fee.amount) == (f"{CHAIN}/{SOURCE}/3", 0)

    @pytest.mark.parametrize("carried", [(), (authorized(),)])
    def test_a_batch_costs_its_fee_and_moves_nothing_of_the_wallets(
        self, carried: tuple[Authorization, ...]
    ) -> None:
        reading = read(a_batch(authorizations=carried).encode())

        assert reading.acts == {Act.COLLECT}
        assert reading.movements == ()
        assert reading.fee.amount == 3 * 10**14

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"data": b""}, "lets others delegate"),
            ({"data": COLLECT}, "lets others delegate"),
            ({"data": collect_call([]) + bytes(32)}, "lets others delegate"),
            ({"value": 1}, "lets others delegate"),
            ({"authorizations": (), "data": COLLECT + bytes(32)}, "no call that is known"),
            ({"authorizations": (), "value": 1}, "takes 1 wei along"),
            ({"authorizations": (), "target": OTHER}, "no call that is known"),
        ],
    )
    def test_what_is_not_quite_a_batch_is_refused(self, changes: dict[str, Any], why: str) -> None:
        with pytest.raises(SigningRefused, match=why):
            read(a_batch(**changes).encode())

    @pytest.mark.parametrize("act", [Act.DELEGATE, Act.COLLECT])
    def test_policies_name_both(self, act: Act) -> None:
        coin = asset_id(f"{CHAIN}/slip44:60")
        usual = frozenset({Act.PAYOUT, Act.SWEEP, Act.RELEASE, Act.REFUND})
        policy = Policy(chain=CHAIN, acts=usual, limits={coin: Limit(asset=coin)}, fee_max=10**18)
        unsigned = OURS.encode() if act is Act.DELEGATE else a_batch().encode()

        assert policy.objection(read(unsigned)) == f"is a {act}, which this key does not sign"
        allowed = attrs.evolve(policy, acts=frozenset({act}))
        assert allowed.objection(read(unsigned)) is None
        assert "over the limit" in str(
            attrs.evolve(allowed, fee_max=0).objection(read(a_batch().encode()))
        )


addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


class TestCall:
    @given(st.lists(st.tuples(addresses, addresses), max_size=20))
    def test_what_was_written_is_read(self, places: list[tuple[str, str]]) -> None:
        assert collected(collect_call(places)) == tuple(places)

    @given(st.lists(st.tuples(addresses, addresses), max_size=4), st.data())
    def test_what_was_changed_is_another_batch_or_none(
        self, places: list[tuple[str, str]], data: st.DataObject
    ) -> None:
        call = bytearray(collect_call(places))
        at = data.draw(st.integers(0, len(call) - 1))
        call[at] ^= data.draw(st.integers(1, 255))

        read = collected(bytes(call))

        assert read is None or collect_call(read) == call
        assert read != tuple(places)

    @given(st.binary(max_size=4 * WORD))
    def test_what_is_no_batch_is_none(self, data: bytes) -> None:
        assert collected(data) is None
        read = collected(COLLECT + data)
        assert read is None or collect_call(read) == COLLECT + data


def test_the_code_of_a_collector_names_where_it_sends_to() -> None:
    ours = collector_code(COLLECTOR, destination=HOT)

    assert len(ours) == len(artifacts.load("SwitchyardCollector").deployed_bytecode)
    assert ours != collector_code(COLLECTOR, destination=OTHER)
    assert ours != collector_code(OTHER, destination=HOT)
    assert artifacts.load("SwitchyardCollector").is_at(ours)
    assert not artifacts.load("SwitchyardCollector").is_at(ours[:-1] + b"\0")
