"""What every bot that takes Stars does.

An adapter's tests build a ``StarsWorld``: a bot, and Telegram with payers around it. They derive
the suite and override ``world``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from domain.shared.money import Money
from domain.stars.model import (
    STARS,
    Charge,
    ChargeId,
    Invoice,
    Recurrence,
    Reversal,
    Unexplained,
    UserId,
)
from ports.stars import StarsRefused, StarsUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.stars.model import StarUpdate
    from ports.stars import StarsBot


class StarsWorld(Protocol):
    """A bot, and Telegram with payers around it."""

    @property
    def bot(self) -> StarsBot: ...

    def ask(self, payload: str, amount: int, *, payer: int = 1) -> str:
        """Have a payer be about to pay; return the question's id."""
        ...

    def charge(
        self, payload: str, amount: int, *, payer: int = 1, subscribed: bool = False
    ) -> str:
        """Have a payer pay; return the charge's id."""
        ...

    def take_back(self, charge_id: str) -> None:
        """Have a payer get a charge back without the bot's doing."""
        ...

    def move(self, amount: int) -> None:
        """Have Stars come in, or go out if negative, in another way."""
        ...

    def refuse_refund(self, charge_id: str, why: str) -> None:
        """Have a charge not be given back any more."""
        ...

    @property
    def answers(self) -> Mapping[str, str | None]:
        """What was said to pre-checkouts."""
        ...

    @property
    def links(self) -> set[str]:
        """The links to invoices that exist."""
        ...

    async def told(self) -> list[StarUpdate]:
        """Return what was told of payments so far, oldest first."""
        ...

    def fail_next(self) -> None:
        """Have the next request not be carried out."""
        ...

    def lose_next_answer(self) -> None:
        """Have the next request be carried out, and nothing be heard of it."""
        ...


def an_invoice(**changes: object) -> Invoice:
    fields = {
        "title": "A bell",
        "description": "A bell for a bicycle.",
        "payload": "pi_01",
        "money": Money(50, STARS),
    }
    return Invoice(**{**fields, **changes})  # type: ignore[arg-type] # Fields by name.


class StarsContract:
    @pytest.fixture
    def world(self) -> StarsWorld:
        raise NotImplementedError

    async def test_an_invoice_has_a_link_of_its_own(self, world: StarsWorld) -> None:
        once = await world.bot.create_invoice_link(an_invoice())
        monthly = await world.bot.create_invoice_link(an_invoice(is_subscription=True))

        assert once.startswith("https://")
        assert {once, monthly} == world.links
        assert len(world.links) == 2

    async def test_a_payer_is_let_through_or_told_why_not(self, world: StarsWorld) -> None:
        yes, no = world.ask("pi_01", 50), world.ask("pi_01", 51)

        await world.bot.answer_pre_checkout(yes, refusal=None)
        await world.bot.answer_pre_checkout(no, refusal="The price has changed.")

        assert world.answers == {yes: None, no: "The price has changed."}

    async def test_nobody_waits_for_a_second_answer(self, world: StarsWorld) -> None:
        asked = world.ask("pi_01", 50)
        await world.bot.answer_pre_checkout(asked, refusal=None)

        with pytest.raises(StarsRefused):
            await world.bot.answer_pre_checkout(asked, refusal=None)

    async def test_a_refund_is_one_however_often_it_is_asked_for(self, world: StarsWorld) -> None:
        id = ChargeId(world.charge("pi_01", 50, payer=7))

        for _ in range(3):
            await world.bot.refund(payer=UserId(7), charge_id=id)

        lines = await world.bot.transactions(offset=0, limit=100)
        assert [type(line) for line in lines] == [Charge, Reversal]

    async def test_a_refund_is_the_payers_own(self, world: StarsWorld) -> None:
        id = ChargeId(world.charge("pi_01", 50, payer=7))

        for payer, charge_id in ((8, id), (7, ChargeId("charge-99"))):
            with pytest.raises(StarsRefused):
                await world.bot.refund(payer=UserId(payer), charge_id=charge_id)
        assert len(await world.bot.transactions(offset=0, limit=100)) == 1

    async def test_a_refund_that_is_refused_says_why(self, world: StarsWorld) -> None:
        id = world.charge("pi_01", 50)
        world.refuse_refund(id, "BALANCE_TOO_LOW")

        with pytest.raises(StarsRefused) as refusal:
            await world.bot.refund(payer=UserId(1), charge_id=ChargeId(id))
        assert "BALANCE_TOO_LOW" in refusal.value.reason

    async def test_the_list_says_what_came_and_what_went(self, world: StarsWorld) -> None:
        first = world.charge("pi_01", 50, payer=7)
        monthly = world.charge("pi_02", 60, subscribed=True)
        world.take_back(first)
        world.move(9)
        world.move(-100)

        paid, renewed, back, given, withdrawn = await world.bot.transactions(offset=0, limit=100)

        assert isinstance(paid, Charge)
        assert (paid.id, paid.payer, paid.payload) == (first, 7, "pi_01")
        assert (paid.money, paid.recurrence) == (Money(50, STARS), Recurrence.ONCE)
        assert isinstance(renewed, Charge)
        assert (renewed.id, renewed.recurrence) == (monthly, Recurrence.UNSAID)
        assert isinstance(back, Reversal)
        assert back.charge_id == first
        assert isinstance(given, Unexplained)
        assert isinstance(withdrawn, Unexplained)
        assert (given.money.amount, withdrawn.money.amount) == (9, -100)

    async def test_the_list_comes_in_pages_oldest_first(self, world: StarsWorld) -> None:
        ids = [world.charge(f"pi_{n}", 50 + n) for n in range(5)]

        pages = [await world.bot.transactions(offset=n, limit=2) for n in (0, 2, 4, 6)]

        got = [[line.id for line in page if isinstance(line, Charge)] for page in pages]
        assert got == [ids[:2], ids[2:4], ids[4:], []]

    async def test_what_is_told_and_what_is_listed_is_the_same_charge(
        self, world: StarsWorld
    ) -> None:
        world.charge("pi_01", 50, payer=7)

        [told] = await world.told()
        [listed] = await world.bot.transactions(offset=0, limit=1)
        assert told == listed

    async def test_a_request_that_is_not_carried_out_may_be_made_again(
        self, world: StarsWorld
    ) -> None:
        id = ChargeId(world.charge("pi_01", 50))
        asked = world.ask("pi_01", 50)
        for request in (
            lambda: world.bot.create_invoice_link(an_invoice()),
            lambda: world.bot.answer_pre_checkout(asked, refusal=None),
            lambda: world.bot.refund(payer=UserId(1), charge_id=id),
            lambda: world.bot.transactions(offset=0, limit=1),
        ):
            world.fail_next()
            with pytest.raises(StarsUnavailable):
                await request()
        assert not world.links
        assert not world.answers
        assert len(await world.bot.transactions(offset=0, limit=9)) == 1

    async def test_a_refund_of_which_nothing_was_heard_is_asked_for_again(
        self, world: StarsWorld
    ) -> None:
        id = ChargeId(world.charge("pi_01", 50))
        world.lose_next_answer()
        with pytest.raises(StarsUnavailable):
            await world.bot.refund(payer=UserId(1), charge_id=id)

        await world.bot.refund(payer=UserId(1), charge_id=id)

        assert len(await world.bot.transactions(offset=0, limit=9)) == 2
