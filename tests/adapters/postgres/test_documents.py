from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import attrs
import pytest
from cattrs.errors import ForbiddenExtraKeysError
from hypothesis import given
from hypothesis import strategies as some

from adapters.postgres import documents
from adapters.postgres.documents import DocumentRefused
from domain.chains.instructions import (
    Instruction,
    Part,
    Release,
    ReleaseEscrow,
    ReleaseMany,
    SendMany,
    SendMoney,
    SweepDeposit,
    SweepMany,
    SweptPlace,
)
from domain.chains.model import (
    Fact,
    Transfer,
    WalletCharged,
)
from domain.escrow.model import EscrowTerms
from domain.fees.model import FeeSchedule
from domain.intents.model import DepositAddress, PayTo, SharedAddress
from domain.intents.quotes import RateObservation
from domain.merchants.model import PayoutTerms
from domain.shared.money import AMOUNT_MAX, AssetId, ChainId, Money
from domain.webhooks.model import Try

AMOUNTS = some.integers(-AMOUNT_MAX, AMOUNT_MAX)
TEXTS = some.text(max_size=20)
MONEY = some.builds(Money, amount=AMOUNTS, asset=TEXTS)
TIMES = some.datetimes(timezones=some.just(UTC))
BPS = some.builds(FeeSchedule, bps=some.integers(0, 1000))


@some.composite
def terms(draw: some.DrawFn) -> EscrowTerms:
    pay_by = draw(TIMES.filter(lambda time: time.year < 9000))
    return EscrowTerms(
        chain=ChainId(draw(TEXTS)), contract=draw(TEXTS),
        reference=draw(TEXTS), merchant=draw(TEXTS),
        money=draw(MONEY), fees=draw(BPS), pay_by=pay_by,
        auto_release_at=pay_by + timedelta(days=7), refund_until=pay_by + timedelta(days=14),
    )  # fmt: skip


INTEGERS = {"merchant_amount", "payer_amount", "amount", "fee", "index"}
FLAGS = {"due", "pushed", "payer_pushed", "merchant_pushed"}


def built(kind: type[Any]) -> some.SearchStrategy[Any]:
    """Build one of the flat models, each field by its name."""
    known: dict[str, some.SearchStrategy[Any]] = {"money": MONEY, "cost": MONEY, "terms": terms()}
    known |= dict.fromkeys(INTEGERS, AMOUNTS) | dict.fromkeys(FLAGS, some.booleans())
    names = [field.name for field in attrs.fields(kind)]
    return some.builds(kind, **{name: known.get(name, TEXTS) for name in names})


# A kind that is new is tried as well: the unions name them all.
FACTS = some.one_of(*map(built, get_args(Fact)))
PARTS = some.builds(Part, payout_id=TEXTS, send=built(SendMoney), issue=AMOUNTS)
RELEASES = some.builds(Release, escrow_id=TEXTS, release=built(ReleaseEscrow), issue=AMOUNTS)
PLACES = some.builds(SweptPlace, sweep_id=TEXTS, sweep=built(SweepDeposit))
BATCHES: dict[type[Any], some.SearchStrategy[Any]] = {
    SendMany: some.builds(SendMany, parts=some.lists(PARTS).map(tuple)),
    ReleaseMany: some.builds(ReleaseMany, releases=some.lists(RELEASES).map(tuple)),
    SweepMany: some.builds(SweepMany, places=some.lists(PLACES).map(tuple)),
}
INSTRUCTIONS = some.one_of(
    *(BATCHES[kind] if kind in BATCHES else built(kind) for kind in get_args(Instruction))
)


@given(FACTS)
def test_facts_come_back(fact: Fact) -> None:
    stored = documents.read_json(documents.write(fact, Fact))
    assert documents.read_union(stored, Fact) == fact


@given(INSTRUCTIONS)
def test_instructions_come_back(instruction: Instruction) -> None:
    stored = documents.read_json(documents.write(instruction, Instruction))
    assert documents.read_union(stored, Instruction) == instruction


@given(some.one_of(built(DepositAddress), built(SharedAddress), terms()))
def test_places_to_pay_to_come_back(place: PayTo) -> None:
    stored = documents.read_json(documents.write(place, PayTo))
    assert documents.read_union(stored, PayTo) == place


def test_what_has_no_memo_is_written_as_before_there_were_any() -> None:
    plain = Transfer(Money(5, AssetId("a")), "payer", "shop")
    stored = documents.read_json(documents.write(plain, Fact))
    assert stored == {
        "type": "Transfer",
        "money": {"amount": 5, "asset": "a"},
        "source": "payer",
        "target": "shop",
    }


def test_what_the_hot_wallet_was_charged_is_written_as_before_others_were() -> None:
    stored = documents.read_json(documents.write(WalletCharged(Money(5, AssetId("a"))), Fact))
    assert stored == {"type": "WalletCharged", "cost": {"amount": 5, "asset": "a"}}


@given(terms())
def test_a_release_that_was_asked_for_is_written_as_before_any_were_due(of: EscrowTerms) -> None:
    stored = documents.read_json(documents.write(ReleaseEscrow(of), Instruction))
    assert set(stored) == {"type", "terms"}


@given(
    some.lists(some.builds(Try, at=TIMES, status=some.none() | some.integers(), detail=TEXTS)),
    some.lists(
        some.builds(
            RateObservation,
            source=TEXTS,
            rate=some.decimals(allow_nan=False, allow_infinity=False),
            observed_at=TIMES,
        )
    ),
    some.builds(
        PayoutTerms,
        destinations=some.dictionaries(TEXTS, TEXTS),
        minimums=some.dictionaries(TEXTS, AMOUNTS),
        approval_above=some.dictionaries(TEXTS, AMOUNTS),
    ),
)
def test_lists_and_mappings_come_back(
    tries: list[Try], rates: list[RateObservation], payouts: PayoutTerms
) -> None:
    for value, kind in (
        (tuple(tries), tuple[Try, ...]),
        (tuple(rates), tuple[RateObservation, ...]),
        (payouts, PayoutTerms),
    ):
        stored = documents.read_json(documents.write(value, kind))
        assert documents.read_union(stored, kind) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"amount": "5", "asset": "a"}', Money),
        ('{"amount": true, "asset": "a"}', Money),
        ('{"amount": 5, "asset": 7}', Money),
        ('{"bps": null}', FeeSchedule),
    ],
)
def test_nothing_is_coerced(text: str, kind: type[object]) -> None:
    with pytest.raises(DocumentRefused):
        documents.read(documents.read_json(text), kind)


@pytest.mark.parametrize(
    "text",
    [
        '{"amount": 5, "asset": "a", "more": 1}',
        '{"amount": 5}',
        '{"amount": 5, "asset": "a", "type": "Money"}',
    ],
)
def test_keys_are_those_of_the_model(text: str) -> None:
    with pytest.raises((ForbiddenExtraKeysError, KeyError)):
        documents.read(documents.read_json(text), Money)


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(KeyError):
        documents.read_union({"type": "Wish", "money": {}}, Fact)


def test_floats_are_refused() -> None:
    for text in ("0.1", "[1e3]", '{"amount": 5.0}'):
        with pytest.raises(DocumentRefused):
            documents.read_json(text)


def test_a_rate_keeps_its_digits() -> None:
    rate = RateObservation("north", Decimal("1.10"), datetime(2026, 3, 1, tzinfo=UTC))
    stored = documents.read_json(documents.write(rate))
    assert str(documents.read(stored, RateObservation).rate) == "1.10"
