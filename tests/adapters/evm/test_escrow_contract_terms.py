# What a test changes may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.evm import escrow_abi
from adapters.evm.abi import selector, topic
from adapters.evm.contracts import artifacts
from adapters.evm.escrow_abi import TERMS_TYPE, UnpayableTerms, payment_id, terms_words
from adapters.evm.escrow_contract import EvmEscrowContracts
from adapters.evm.names import (
    ZERO_ADDRESS,
    MalformedAddress,
    NotOnThisChain,
    chain_name,
    native_asset,
    token_asset,
)
from adapters.evm.release_batches import call_with_batch
from domain.escrow.model import EscrowTerms
from domain.fees.model import FeeSchedule
from domain.shared.money import AssetId, Money
from tests.contracts.escrow_contract import EscrowContractsContract

if TYPE_CHECKING:
    from tests.adapters.evm.local_chain import LocalChain

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHAIN = chain_name(56)
TOKEN = token_asset(CHAIN, "0x" + "5" * 40)


class TestContract(EscrowContractsContract):
    @pytest.fixture
    def contracts(self) -> EvmEscrowContracts:
        return EvmEscrowContracts()


def a_payment(**changes: Any) -> EscrowTerms:
    terms = EscrowTerms(
        chain=CHAIN,
        contract="0x" + "c" * 40,
        reference="pi_01",
        merchant="0x" + "a" * 40,
        money=Money(25 * 10**18, TOKEN),
        fees=FeeSchedule(bps=100),
        pay_by=NOON,
        auto_release_at=NOON + timedelta(days=7),
        refund_until=NOON + timedelta(days=14),
    )
    return attrs.evolve(terms, **changes)


def _signature(entry: Any) -> str:
    return f"{entry['name']}({','.join(_type(member) for member in entry['inputs'])})"


def _type(member: Any) -> str:
    kind = str(member["type"])
    if kind.startswith("tuple"):
        members = ",".join(_type(inner) for inner in member["components"])
        return f"({members}){kind.removeprefix('tuple')}"
    return kind


def test_the_signatures_are_the_compiled_contract_s() -> None:
    abi: list[Any] = list(artifacts.load("SwitchyardEscrow").abi)
    events = {_signature(entry) for entry in abi if entry["type"] == "event"}
    functions = {_signature(entry) for entry in abi if entry["type"] == "function"}

    assert set(escrow_abi.EVENTS) <= events
    assert {
        escrow_abi.PAY,
        escrow_abi.RELEASE,
        escrow_abi.RELEASE_BATCH,
        escrow_abi.PUSH_GAS_CAP,
        escrow_abi.REFUND,
        escrow_abi.PAYMENTS,
    } <= functions
    assert escrow_abi.TOPICS[escrow_abi.PAID] == topic(escrow_abi.PAID)


@pytest.mark.parametrize("native", [False, True])
async def test_the_id_is_the_one_the_contract_computes(chain: LocalChain, *, native: bool) -> None:
    money = Money(10**15, native_asset(chain_name(31_337))) if native else None
    terms = await chain.terms(**({"money": money} if money else {}))
    data = selector(f"paymentId({TERMS_TYPE})") + terms_words(terms)

    answer = await chain.control(
        "eth_call", {"to": chain.escrow, "data": "0x" + data.hex()}, "latest"
    )

    assert EvmEscrowContracts().escrow_id(terms) == answer


_ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
_TERMS = st.builds(
    a_payment,
    contract=_ADDRESSES,
    merchant=_ADDRESSES,
    reference=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=32),
    money=st.builds(
        Money,
        st.integers(1, 2**128 - 1),
        st.one_of(
            st.just(native_asset(CHAIN)), _ADDRESSES.map(lambda text: token_asset(CHAIN, text))
        ),
    ),
    fees=st.builds(FeeSchedule, st.integers(0, 1_000)),
    pay_by=st.integers(0, 10**6).map(lambda seconds: NOON - timedelta(seconds=seconds)),
)


@given(terms=_TERMS)
@settings(max_examples=100, deadline=None)
def test_words_are_those_of_a_full_abi_encoder(terms: EscrowTerms) -> None:
    assert terms_words(terms) == encode([TERMS_TYPE], [_members(terms)])


@given(batch=st.lists(_TERMS, min_size=1, max_size=4))
@settings(max_examples=50, deadline=None)
def test_a_batch_is_that_of_a_full_abi_encoder(batch: list[EscrowTerms]) -> None:
    expected = encode([f"{TERMS_TYPE}[]"], [[_members(terms) for terms in batch]])

    assert call_with_batch(batch) == selector(escrow_abi.RELEASE_BATCH) + expected


def _members(terms: EscrowTerms) -> tuple[object, ...]:
    token = terms.money.asset.rpartition("erc20:")[2] if "erc20" in terms.money.asset else None
    return (
        terms.reference.encode().ljust(32, b"\0"),
        terms.merchant,
        token or ZERO_ADDRESS,
        terms.money.amount,
        terms.fees.bps,
        int(terms.pay_by.timestamp()),
        int(terms.auto_release_at.timestamp()),
        int(terms.refund_until.timestamp()),
    )


def test_other_terms_are_another_payment() -> None:
    contracts = EvmEscrowContracts()
    changed = [
        a_payment(),
        a_payment(reference="pi_02"),
        a_payment(money=Money(1, TOKEN)),
        a_payment(fees=FeeSchedule(bps=101)),
        a_payment(contract="0x" + "d" * 40),
        a_payment(pay_by=NOON - timedelta(seconds=1)),
    ]

    assert len({contracts.escrow_id(terms) for terms in changed}) == len(changed)


def test_a_fraction_of_a_second_is_cut_off() -> None:
    exact = payment_id(a_payment())

    assert payment_id(a_payment(pay_by=NOON + timedelta(microseconds=999_999))) == exact


def test_a_token_is_approved_for_the_contract_and_paid() -> None:
    approve, pay = EvmEscrowContracts().wallet_calls(a_payment())

    expected = encode(["address", "uint256"], ["0x" + "c" * 40, 25 * 10**18])
    assert approve.data == "0x095ea7b3" + expected.hex()
    assert pay.data == "0x" + selector(escrow_abi.PAY).hex() + terms_words(a_payment()).hex()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"reference": ""}, UnpayableTerms),
        ({"reference": "x" * 33}, UnpayableTerms),
        ({"reference": "straße"}, UnpayableTerms),
        ({"money": Money(0, TOKEN)}, UnpayableTerms),
        ({"money": Money(-1, TOKEN)}, UnpayableTerms),
        ({"money": Money(2**128, TOKEN)}, UnpayableTerms),
        ({"money": Money(1, AssetId("iso4217:USD"))}, NotOnThisChain),
        ({"money": Money(1, native_asset(chain_name(1)))}, NotOnThisChain),
        ({"merchant": "0x" + "A" * 40}, MalformedAddress),
        ({"contract": "0x00"}, MalformedAddress),
    ],
)
def test_refuses_terms_that_the_contract_cannot_express(
    changes: dict[str, Any], error: type[ValueError]
) -> None:
    with pytest.raises(error):
        EvmEscrowContracts().escrow_id(a_payment(**changes))
