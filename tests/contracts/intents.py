"""What every store of payment intents and quotes keeps."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.intents.attempts import AttemptState
from domain.intents.listing import Place, Wanted
from domain.intents.model import IntentStatus, Method, PaymentException
from domain.merchants.model import PaymentPolicy, Verdict
from domain.shared.ids import IntentId, QuoteId
from domain.shared.money import AMOUNT_MAX
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import (
    CHAIN,
    MERCHANT,
    NOON,
    OTHER_CHAIN,
    OTHER_MERCHANT,
    a_quote,
    a_rate,
    address_of,
    an_attempt,
    an_escrow_intent,
    an_intent,
    deposit_to,
    shared_with,
    usd,
    usdt,
)
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from ports.unit_of_work import Begin

HOUR = timedelta(hours=1)


def place(intent: PaymentIntent) -> Place:
    return Place(intent.created_at, intent.id)


class IntentsContract(StorageContract):
    async def test_an_intent_to_a_deposit_address_comes_back_whole(self, begin: Begin) -> None:
        await given_merchants(begin)
        intent = an_intent(
            policy=PaymentPolicy(underpaid_tolerance_bps=12, overpaid=Verdict.REVIEW),
            attempt=an_attempt(state=AttemptState.SUBMITTED, changed_at=NOON + HOUR),
            status=IntentStatus.PROCESSING,
            exception=PaymentException.OVERPAID,
            received=AMOUNT_MAX,
            final=2**130,
            captured=1,
            description="A red bicycle, 28″",
            metadata={"order": "17", "note": "näher"},
        )
        await given(begin, intent)

        async with begin() as work:
            assert await work.intents.get(intent.id, owner=MERCHANT) == intent

    async def test_an_intent_into_escrow_comes_back_whole(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_escrow_intent())

        async with begin() as work:
            assert await work.intents.get(IntentId("pi_01"), owner=MERCHANT) == an_escrow_intent()

    async def test_an_intent_is_added_once(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_intent())

        with pytest.raises(AlreadyExists):
            await given(begin, an_intent(pay_to=deposit_to("another", index=99)))

    async def test_every_field_that_changes_is_saved(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_intent())
        paid_at = NOON + timedelta(minutes=1)
        async with begin() as work:
            intent = await work.intents.lock(IntentId("pi_01"), owner=MERCHANT)
            seen = intent.see(intent.due.amount, paid_at=paid_at, at=paid_at)
            paid = seen.finalize(intent.due.amount, at=paid_at + HOUR)
            await work.intents.save(paid)
            await work.commit()

        async with begin() as work:
            assert await work.intents.get(paid.id, owner=MERCHANT) == paid

    @pytest.mark.parametrize("verb", ["get", "lock"])
    async def test_another_merchants_intent_is_not_found(self, begin: Begin, verb: str) -> None:
        await given_merchants(begin)
        await given(begin, an_intent())

        async with begin() as work:
            for id, owner in (("pi_01", OTHER_MERCHANT), ("pi_02", MERCHANT), ("pi_02", None)):
                with pytest.raises(NotFound):
                    await getattr(work.intents, verb)(IntentId(id), owner=owner)

    @pytest.mark.parametrize("verb", ["get", "lock"])
    async def test_nothing_is_hidden_from_the_gateway_itself(
        self, begin: Begin, verb: str
    ) -> None:
        await given_merchants(begin)
        await given(begin, an_intent())

        async with begin() as work:
            assert await getattr(work.intents, verb)(IntentId("pi_01"), owner=None) == an_intent()

    async def test_a_merchants_intents_are_listed_newest_first_page_by_page(
        self, begin: Begin
    ) -> None:
        await given_merchants(begin)
        mine = [an_intent(f"pi_0{n}", created_at=NOON + n * HOUR) for n in range(1, 6)]
        await given(begin, *mine, an_intent("pi_06", merchant_id=OTHER_MERCHANT))

        async with begin() as work:
            first = await work.intents.list(owner=MERCHANT, before=None, limit=2)
            second = await work.intents.list(owner=MERCHANT, before=place(first[-1]), limit=2)
            third = await work.intents.list(owner=MERCHANT, before=place(second[-1]), limit=2)

        assert [*first, *second, *third] == mine[::-1]

    async def test_intents_made_at_once_are_in_the_order_of_their_ids(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, *(an_intent(f"pi_0{n}") for n in (2, 1, 3)))

        async with begin() as work:
            first = await work.intents.list(owner=MERCHANT, before=None, limit=2)
            rest = await work.intents.list(owner=MERCHANT, before=place(first[-1]), limit=2)
        assert [it.id for it in [*first, *rest]] == ["pi_03", "pi_02", "pi_01"]

    async def test_a_list_holds_what_is_wanted_page_by_page(self, begin: Begin) -> None:
        await given_merchants(begin)
        statuses = (IntentStatus.EXPIRED, IntentStatus.SUCCEEDED, IntentStatus.CANCELED)
        every = [
            an_intent(
                f"pi_{n:02}",
                created_at=NOON + n * HOUR,
                status=statuses[n % 3],
                method=Method.MEMO if n % 2 else Method.ADDRESS,
                due=usdt(n + 1) if n % 4 else usd(n + 1),
            )
            for n in range(12)
        ]
        await given(begin, *every, an_intent("pi_99", merchant_id=OTHER_MERCHANT))
        seen = 0
        for status in (None, IntentStatus.SUCCEEDED, IntentStatus.PROCESSING):
            for method in (None, Method.MEMO, Method.STARS):
                for asset in (None, usdt(1).asset, usd(1).asset):
                    for after, until in ((None, None), (NOON + HOUR, NOON + 9 * HOUR)):
                        wanted = Wanted(
                            status=status,
                            method=method,
                            asset=asset,
                            created_after=after,
                            created_before=until,
                        )
                        found: list[PaymentIntent] = []
                        async with begin() as work:
                            for _ in every:
                                found += await work.intents.list(
                                    owner=MERCHANT,
                                    before=place(found[-1]) if found else None,
                                    limit=2,
                                    wanted=wanted,
                                )
                        assert found == [it for it in every[::-1] if wanted.includes(it)], wanted
                        seen += len(found)
        assert seen > 50

    async def test_deposit_addresses_lead_to_their_intents(self, begin: Begin) -> None:
        await given_merchants(begin)
        elsewhere = an_intent("pi_03", pay_to=deposit_to("pi_03", index=3, chain=OTHER_CHAIN))
        await given(begin, an_intent("pi_01"), an_intent("pi_02"), elsewhere)
        asked = [address_of(name) for name in ("pi_01", "pi_02", "pi_03", "stranger")]

        async with begin() as work:
            assert await work.intents.owners_of(chain=CHAIN, addresses=asked) == {
                address_of("pi_01"): "pi_01",
                address_of("pi_02"): "pi_02",
            }
            assert await work.intents.owners_of(chain=OTHER_CHAIN, addresses=asked) == {
                address_of("pi_03"): "pi_03"
            }
            assert await work.intents.owners_of(chain=CHAIN, addresses=[]) == {}

    async def test_every_deposit_address_of_a_chain_is_listed_whatever_became_of_it(
        self, begin: Begin
    ) -> None:
        await given_merchants(begin)
        elsewhere = an_intent("pi_03", pay_to=deposit_to("pi_03", index=3, chain=OTHER_CHAIN))
        over = an_intent("pi_02", status=IntentStatus.EXPIRED)
        await given(begin, an_intent("pi_01"), over, elsewhere, an_escrow_intent("pi_04"))

        async with begin() as work:
            addresses = await work.intents.deposit_addresses(chain=CHAIN)
        assert sorted(addresses) == sorted([address_of("pi_01"), address_of("pi_02")])

    async def test_memos_lead_to_their_intents(self, begin: Begin) -> None:
        await given_merchants(begin)
        one = an_intent("pi_01", method=Method.MEMO, pay_to=shared_with("0123456789AB"))
        other = an_intent("pi_02", method=Method.MEMO, pay_to=shared_with("ZYXWVTSRQPNM"))
        elsewhere = an_intent("pi_03", pay_to=shared_with("0123456789AB", chain=OTHER_CHAIN))
        await given(begin, one, other, elsewhere, an_intent("pi_04"))
        asked = ["0123456789AB", "ZYXWVTSRQPNM", "000000000000"]

        async with begin() as work:
            assert await work.intents.get(one.id, owner=MERCHANT) == one
            assert await work.intents.owners_by_memo(chain=CHAIN, memos=asked) == {
                "0123456789AB": "pi_01",
                "ZYXWVTSRQPNM": "pi_02",
            }
            assert await work.intents.owners_by_memo(chain=OTHER_CHAIN, memos=asked) == {
                "0123456789AB": "pi_03"
            }
            assert await work.intents.owners_by_memo(chain=CHAIN, memos=[]) == {}
            wallet = shared_with().wallet
            assert await work.intents.owners_of(chain=CHAIN, addresses=[wallet]) == {}
            assert wallet not in await work.intents.deposit_addresses(chain=CHAIN)
            late = NOON + 2 * HOUR
            assert await work.intents.overdue(chain=CHAIN, at=late, limit=2) == ["pi_01", "pi_02"]

    async def test_a_memo_belongs_to_one_intent_of_a_chain_alone(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_intent("pi_01", pay_to=shared_with()))

        with pytest.raises(AlreadyExists):
            await given(begin, an_intent("pi_02", pay_to=shared_with()))

    async def test_overdue_are_the_unpaid_of_a_chain_whose_time_is_over(
        self, begin: Begin
    ) -> None:
        await given_merchants(begin)
        await given(
            begin,
            an_intent("pi_01", expires_at=NOON + 2 * HOUR),
            an_escrow_intent("pi_02", expires_at=NOON + HOUR),
            an_intent("pi_03", expires_at=NOON + 3 * HOUR),
            an_intent("pi_04", expires_at=NOON + 4 * HOUR),
            an_intent("pi_05", expires_at=NOON, status=IntentStatus.PROCESSING),
            an_intent("pi_06", expires_at=NOON, pay_to=deposit_to(index=6, chain=OTHER_CHAIN)),
        )

        async with begin() as work:
            at = NOON + 3 * HOUR
            assert await work.intents.overdue(chain=CHAIN, at=at, limit=9) == ["pi_02", "pi_01"]
            assert await work.intents.overdue(chain=CHAIN, at=at, limit=1) == ["pi_02"]

    async def test_deposit_indices_begin_at_zero_and_never_come_again(self, begin: Begin) -> None:
        async with begin() as work:
            first = [await work.intents.next_deposit_index() for _ in range(2)]
            await work.commit()

        async with begin() as work:
            later = [await work.intents.next_deposit_index() for _ in range(2)]
            await work.commit()
        assert first[0] == 0
        assert len({*first, *later}) == 4

    async def test_deposit_indices_are_given_out_without_waiting(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_intent())
        async with asyncio.timeout(10), begin() as one, begin() as other:
            await one.intents.lock(IntentId("pi_01"), owner=None)
            drawn = {
                await one.intents.next_deposit_index(),
                await other.intents.next_deposit_index(),
                await one.intents.next_deposit_index(),
            }
        assert len(drawn) == 3

    async def test_a_quote_comes_back_to_the_last_digit(self, begin: Begin) -> None:
        await given_merchants(begin)
        quote = a_quote(
            "qt_02",
            price=usd(1),
            due=usdt(3**150),
            rate=Decimal("0.000000012345678901"),
            sources=(a_rate("north", "1.10"), a_rate("south", "64123.987654321098765432")),
            created_at=NOON + timedelta(microseconds=1),
        )
        await given(begin, quote)

        async with begin() as work:
            stored = await work.intents.get_quote(quote.id, owner=MERCHANT)
        assert stored == quote

    async def test_many_quotes_are_found_by_name_if_they_are_the_merchants(
        self, begin: Begin
    ) -> None:
        await given_merchants(begin)
        mine = [a_quote(f"qt_5{n}") for n in (1, 2, 3)]
        await given(begin, *mine, a_quote("qt_54", merchant_id=OTHER_MERCHANT))
        asked = [QuoteId(f"qt_5{n}") for n in (3, 1, 4, 9, 1)]

        async with begin() as work:
            assert await work.intents.quotes_named([], owner=MERCHANT) == []
            assert await work.intents.quotes_named(asked[2:4], owner=MERCHANT) == []
            found = await work.intents.quotes_named(asked, owner=MERCHANT)
            assert sorted(found, key=lambda it: it.id) == [mine[0], mine[2]]

    async def test_another_merchants_quote_is_not_found(self, begin: Begin) -> None:
        await given_merchants(begin)

        async with begin() as work:
            for id, owner in (("qt_01", OTHER_MERCHANT), ("qt_02", MERCHANT)):
                with pytest.raises(NotFound):
                    await work.intents.get_quote(QuoteId(id), owner=owner)

    async def test_a_deposit_address_belongs_to_one_intent_alone(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_intent("pi_01"))
        taken = attrs.evolve(an_intent("pi_02"), pay_to=an_intent("pi_01").pay_to)

        with pytest.raises(AlreadyExists):
            await given(begin, taken)
