"""What every store of escrows keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.escrow.model import TRY_AGAIN_AFTER, DueRelease, EscrowAction
from domain.shared.ids import EscrowId, IntentId, SubmissionId
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import (
    CHAIN,
    COIN,
    MERCHANT,
    NOON,
    OTHER_MERCHANT,
    an_escrow,
    an_escrow_intent,
    hash_of,
    terms_of,
)
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.escrow.model import Escrow
    from ports.unit_of_work import Begin

WEEK = timedelta(days=7)


class EscrowsContract(StorageContract):
    async def test_an_escrow_is_found_by_its_intent_and_by_its_id(self, begin: Begin) -> None:
        await given_escrows(begin, an_escrow())

        async with begin() as work:
            intent_id = IntentId("pi_01")
            assert await work.escrows.of_intent(intent_id, owner=MERCHANT) == an_escrow()
            assert await work.escrows.lock_of_intent(intent_id, owner=MERCHANT) == an_escrow()
            assert await work.escrows.lock(an_escrow().id) == an_escrow()

    async def test_an_escrow_is_added_once(self, begin: Begin) -> None:
        await given_escrows(begin, an_escrow())

        with pytest.raises(AlreadyExists):
            await given(begin, an_escrow())

    async def test_escrows_of_many_intents_are_their_merchants_alone(self, begin: Begin) -> None:
        mine = [an_escrow(it) for it in ("pi_01", "pi_02", "pi_03")]
        await given_escrows(begin, *mine, an_escrow("pi_04", merchant_id=OTHER_MERCHANT))
        asked = [IntentId(it) for it in ("pi_03", "pi_01", "pi_04", "pi_99", "pi_01")]

        async with begin() as work:
            assert await work.escrows.of_intents([], owner=MERCHANT) == []
            found = await work.escrows.of_intents(asked, owner=MERCHANT)
            assert sorted(found, key=lambda it: it.intent_id) == [mine[0], mine[2]]

    @pytest.mark.parametrize("verb", ["of_intent", "lock_of_intent"])
    async def test_another_merchants_escrow_is_not_found(self, begin: Begin, verb: str) -> None:
        await given_escrows(begin, an_escrow())

        async with begin() as work:
            for id, owner in (("pi_01", OTHER_MERCHANT), ("pi_02", MERCHANT)):
                with pytest.raises(NotFound):
                    await getattr(work.escrows, verb)(IntentId(id), owner=owner)

    async def test_an_escrow_that_is_not_ours_is_none(self, begin: Begin) -> None:
        async with begin() as work:
            assert await work.escrows.lock(EscrowId(hash_of("a stranger's"))) is None

    async def test_every_field_that_changes_is_saved(self, begin: Begin) -> None:
        await given_escrows(begin, an_escrow())
        steps: list[Callable[[Escrow], Escrow]] = [
            lambda e: e.request(EscrowAction.RELEASE, submission_id=SubmissionId("sub_01")),
            lambda e: e.dispute(at=NOON + WEEK),
            lambda e: e.resolve(payer_amount=7, at=NOON + 2 * WEEK),
        ]
        for step in steps:
            async with begin() as work:
                changed = step(
                    await work.escrows.lock_of_intent(IntentId("pi_01"), owner=MERCHANT)
                )
                await work.escrows.save(changed)
                await work.commit()

            async with begin() as work:
                stored = await work.escrows.of_intent(IntentId("pi_01"), owner=MERCHANT)
            assert stored == changed

    async def test_due_for_release_are_the_held_whose_time_has_come(self, begin: Begin) -> None:
        def until(name: str, days: int) -> Escrow:
            due = NOON + timedelta(days=days)
            terms = attrs.evolve(terms_of(name), auto_release_at=due)
            return an_escrow(name, terms=terms, auto_release_at=due)

        asked = until("pi_05", 1).request(EscrowAction.REFUND, submission_id=SubmissionId("s"))
        await given_escrows(
            begin,
            until("pi_01", 3),
            until("pi_02", 2),
            until("pi_03", 9),
            until("pi_04", 1).dispute(at=NOON),
            asked,
            until("pi_06", 1).release(at=NOON),
        )

        async with begin() as work:
            due = await work.escrows.due_for_release(at=NOON + timedelta(days=3), limit=9)
            # What has been due for longest comes first.
            assert due == [DueRelease(EscrowId(hash_of(it)), CHAIN) for it in ("pi_02", "pi_01")]
            assert len(await work.escrows.due_for_release(at=NOON + WEEK, limit=1)) == 1

    async def test_what_came_to_nothing_is_due_again_later(self, begin: Begin) -> None:
        asked = an_escrow().request(EscrowAction.RELEASE, submission_id=SubmissionId("sub_01"))
        failed = asked.request_failed(reason="left alone", at=NOON + WEEK)
        await given_escrows(begin, failed)

        async with begin() as work:
            assert await work.escrows.lock(failed.id) == failed
            for later, found in ((timedelta(0), 0), (TRY_AGAIN_AFTER, 1)):
                due = await work.escrows.due_for_release(at=NOON + WEEK + later, limit=9)
                assert len(due) == found

    async def test_open_claims_are_found_by_all_that_tells_them_apart(self, begin: Begin) -> None:
        terms = terms_of("pi_01")
        kept = an_escrow().release(at=NOON)
        kept = kept.keep_credits(merchant_pushed=False, payer_pushed=True, at=NOON)
        back = an_escrow("pi_02").refund(at=NOON)
        back = back.keep_credits(merchant_pushed=True, payer_pushed=False, at=NOON)
        gone = an_escrow("pi_03").release(at=NOON)
        gone = gone.keep_credits(merchant_pushed=True, payer_pushed=True, at=NOON)
        await given_escrows(begin, kept, back, gone)
        usual: dict[str, Any] = {
            "chain": CHAIN,
            "contract": terms.contract,
            "account": terms.merchant,
            "asset": terms.money.asset,
        }
        others = {"chain": "eip155:1", "contract": "0x", "account": "0x", "asset": COIN.id}

        async with begin() as work:
            assert await work.escrows.with_open_claims(**usual) == [kept.id]
            of_payer = usual | {"account": back.payer}
            assert await work.escrows.with_open_claims(**of_payer) == [back.id]
            for name, other in others.items():
                assert await work.escrows.with_open_claims(**(usual | {name: other})) == []
            locked = await work.escrows.lock(kept.id)
            assert locked == kept
            taken = kept.withdraw(account=terms.merchant, to=back.payer, at=NOON + WEEK)
            await work.escrows.save(taken)
            await work.commit()
        async with begin() as work:
            assert await work.escrows.lock(kept.id) == taken
            assert await work.escrows.with_open_claims(**usual) == []


async def given_escrows(begin: Begin, *escrows: Escrow) -> None:
    await given_merchants(begin)
    for escrow in escrows:
        await given(begin, an_escrow_intent(escrow.intent_id), escrow)
