"""What every store of chain records keeps."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.instructions import (
    Part,
    RefundEscrow,
    Release,
    ReleaseEscrow,
    ReleaseMany,
    SendMany,
    SendMoney,
)
from domain.chains.model import (
    CreditWithdrawn,
    EscrowDisputed,
    EscrowRefunded,
    EscrowReleased,
    EscrowResolved,
    Finality,
    WalletCharged,
)
from domain.chains.submissions import SubmissionState
from domain.shared.ids import EscrowId, PayoutId, SubmissionId
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import CHAIN, NOON, OTHER_CHAIN, address_of, coins, hash_of, terms_of, usdt
from tests.chain_builders import (
    a_block,
    a_cursor,
    a_submission,
    a_transfer,
    an_escrow_paid,
    an_inclusion,
    an_observation,
    signed_bytes,
)
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from domain.chains.instructions import Instruction
    from domain.chains.model import Fact, Observation
    from ports.unit_of_work import Begin

ESCROW = EscrowId(hash_of("pi_01"))
FACTS: list[Fact] = [
    a_transfer(2**255),
    attrs.evolve(a_transfer(), memo="0123456789AB"),
    attrs.evolve(a_transfer(), memo="a\0b \ud800 \N{BICYCLE}"),
    WalletCharged(coins(17)),
    WalletCharged(coins(17), address_of("deposit")),
    an_escrow_paid(),
    EscrowReleased(ESCROW, merchant_amount=2**200, fee=3, pushed=False),
    EscrowRefunded(ESCROW, amount=2**127, pushed=True),
    EscrowDisputed(ESCROW),
    EscrowResolved(ESCROW, 1, 2, 3, payer_pushed=True, merchant_pushed=False),
    CreditWithdrawn(address_of("merchant"), address_of("cold"), usdt(9)),
]
A_PART = Part(PayoutId("po_01"), SendMoney(usdt(2**200), address_of("merchant")))
A_RELEASE = Release(ESCROW, ReleaseEscrow(terms_of(), due=True))
ANY = [Finality.SEEN, Finality.SAFE, Finality.FINAL, Finality.RETRACTED]


class CursorsContract(StorageContract):
    async def test_a_chain_never_read_has_no_cursor(self, begin: Begin) -> None:
        async with begin() as work:
            assert await work.chains.cursor(CHAIN) is None
            assert await work.chains.lock_cursor(CHAIN) is None

    async def test_a_cursor_is_kept_and_moved(self, begin: Begin) -> None:
        for cursor in (a_cursor(5), a_cursor(9, final=7)):
            async with begin() as work:
                await work.chains.lock_cursor(CHAIN)
                await work.chains.save_cursor(cursor)
                await work.commit()

            async with begin() as work:
                assert await work.chains.cursor(CHAIN) == cursor
                assert await work.chains.lock_cursor(CHAIN) == cursor
                assert await work.chains.cursor(OTHER_CHAIN) is None

    async def test_one_reader_at_a_time_moves_a_cursor(self, begin: Begin) -> None:
        async with begin() as work:
            await work.chains.save_cursor(a_cursor(5))
            await work.commit()

        async def move_on() -> None:
            async with begin() as work:
                cursor = await work.chains.lock_cursor(CHAIN)
                assert cursor is not None
                await asyncio.sleep(0)
                seen = a_block(cursor.seen.number + 1)
                await work.chains.save_cursor(attrs.evolve(cursor, seen=seen))
                await work.commit()

        await asyncio.gather(*(move_on() for _ in range(6)))

        async with begin() as work:
            assert await work.chains.cursor(CHAIN) == a_cursor(11)

    async def test_blocks_are_remembered_until_they_are_final_or_replaced(
        self, begin: Begin
    ) -> None:
        blocks = [a_block(n) for n in range(1, 7)]
        async with begin() as work:
            await work.chains.remember(CHAIN, blocks)
            await work.chains.remember(CHAIN, [])
            await work.chains.remember(OTHER_CHAIN, [a_block(3, fork="other")])
            await work.commit()

        async with begin() as work:
            assert await work.chains.remembered(CHAIN, first=3) == blocks[2:]
            assert await work.chains.remembered(CHAIN, first=2, last=3) == blocks[1:3]
            await work.chains.forget(CHAIN, before=3)
            await work.chains.cut(CHAIN, after=4)
            new = a_block(5, fork="new", parent_fork="main")
            await work.chains.remember(CHAIN, [new])
            await work.commit()

        async with begin() as work:
            assert await work.chains.remembered(CHAIN, first=0) == [blocks[2], blocks[3], new]
            assert len(await work.chains.remembered(OTHER_CHAIN, first=0)) == 1


class ObservationsContract(StorageContract):
    @pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
    async def test_every_kind_of_fact_comes_back_whole(self, begin: Begin, fact: Fact) -> None:
        observation = an_observation(fact=fact)

        assert await claim(begin, observation)

        assert await observed(begin) == [observation]

    async def test_a_chain_event_is_claimed_once(self, begin: Begin) -> None:
        assert await claim(begin, an_observation())

        assert not await claim(begin, an_observation(block=6, fact=a_transfer(999)))
        assert await observed(begin) == [an_observation()]

    async def test_places_transactions_and_chains_tell_events_apart(self, begin: Begin) -> None:
        elsewhere = an_observation(key=attrs.evolve(an_observation().key, chain=OTHER_CHAIN))
        for observation in (
            an_observation(),
            an_observation(position=1),
            an_observation("another"),
            elsewhere,
        ):
            assert await claim(begin, observation)

        assert len(await observed(begin)) == 3

    async def test_of_many_at_once_one_claims(self, begin: Begin) -> None:
        claims = await asyncio.gather(*(claim(begin, an_observation()) for _ in range(5)))

        assert sorted(claims) == [False, False, False, False, True]

    async def test_a_claim_that_was_undone_can_be_made_again(self, begin: Begin) -> None:
        async with begin() as work:
            assert await work.chains.claim(an_observation())

        assert await claim(begin, an_observation())

    async def test_a_retracted_event_can_be_claimed_again_in_another_block(
        self, begin: Begin
    ) -> None:
        await claim(begin, an_observation())
        await set_finality(begin, was=Finality.SEEN, now=Finality.RETRACTED)
        again = an_observation(block=6)

        assert await claim(begin, again)

        assert await observed(begin) == [again]
        assert not await claim(begin, again)

    async def test_finality_moves_from_where_the_caller_thought_it_was(self, begin: Begin) -> None:
        await claim(begin, an_observation())

        assert not await set_finality(begin, was=Finality.SAFE, now=Finality.FINAL)
        assert await set_finality(begin, was=Finality.SEEN, now=Finality.FINAL)
        assert not await set_finality(begin, was=Finality.SEEN, now=Finality.FINAL)
        assert await observed(begin) == [an_observation(finality=Finality.FINAL)]

    async def test_finality_of_nothing_does_not_move(self, begin: Begin) -> None:
        assert not await set_finality(begin, was=Finality.SEEN, now=Finality.FINAL)

    async def test_of_many_at_once_one_moves_finality(self, begin: Begin) -> None:
        await claim(begin, an_observation())

        moves = await asyncio.gather(
            *(set_finality(begin, was=Finality.SEEN, now=Finality.FINAL) for _ in range(4))
        )
        assert sorted(moves) == [False, False, False, True]

    async def test_what_was_paid_into_an_escrow_is_found_by_its_name(self, begin: Begin) -> None:
        paid = an_escrow_paid()
        await claim(begin, an_observation(fact=paid))
        await claim(begin, an_observation(block=6, fact=EscrowDisputed(ESCROW)))

        async with begin() as work:
            assert await work.chains.paid_into_escrow(paid.escrow_id) == paid.money
            assert await work.chains.paid_into_escrow(EscrowId(hash_of("pi_99"))) is None

    async def test_what_was_retracted_was_not_paid_into_an_escrow(self, begin: Begin) -> None:
        paid = an_escrow_paid()
        await claim(begin, an_observation(fact=paid))
        await set_finality(begin, was=Finality.SEEN, now=Finality.RETRACTED)

        async with begin() as work:
            assert await work.chains.paid_into_escrow(paid.escrow_id) is None

    async def test_observations_are_read_by_range_and_finality_in_the_chains_order(
        self, begin: Begin
    ) -> None:
        in_order = [
            an_observation("d", block=3, position=0),
            an_observation("c", block=4, position=0),
            an_observation("b", block=4, position=7),
            an_observation("b", block=4, position=11),
            an_observation("a", block=5, position=2, finality=Finality.FINAL),
            an_observation("e", block=6, position=0),
        ]
        for observation in reversed(in_order):
            await claim(begin, observation)

        async with begin() as work:
            everything = await work.chains.observed(CHAIN, finality=ANY, first=4, last=5)
            seen = await work.chains.observed(CHAIN, finality=[Finality.SEEN], first=0, last=99)
        assert everything == in_order[1:5]
        assert seen == [*in_order[:4], in_order[5]]


class SubmissionsContract(StorageContract):
    @pytest.mark.parametrize(
        "instruction",
        [
            a_submission().instruction,
            SendMany((A_PART, attrs.evolve(A_PART, payout_id=PayoutId("po_02"), issue=3))),
            ReleaseEscrow(terms_of()),
            ReleaseEscrow(terms_of(), due=True),
            ReleaseMany((A_RELEASE, attrs.evolve(A_RELEASE, issue=3))),
            RefundEscrow(terms_of()),
        ],
        ids=lambda it: type(it).__name__,
    )
    async def test_every_kind_of_instruction_comes_back_whole(
        self, begin: Begin, instruction: Instruction
    ) -> None:
        submission = a_submission(instruction=instruction)
        await given(begin, submission)

        async with begin() as work:
            assert await work.chains.lock_submission(submission.id) == submission

    async def test_the_signed_bytes_are_kept_to_the_last_bit(self, begin: Begin) -> None:
        await given(begin, a_submission())
        signed = attrs.evolve(signed_bytes(), raw=bytes(range(256)), sequence=2**40)
        async with begin() as work:
            submission = await work.chains.lock_submission(SubmissionId("sub_01"))
            lost = submission.sign(signed, at=NOON).lose(reason="no answer")
            await work.chains.save_submission(lost)
            await work.commit()

        async with begin() as work:
            assert await work.chains.lock_submission(SubmissionId("sub_01")) == lost

    async def test_a_last_moment_is_kept_and_which_issue_it_is(self, begin: Begin) -> None:
        until = NOON + timedelta(hours=1, microseconds=1)
        fleeting = attrs.evolve(signed_bytes(), valid_until=until)
        sent = a_submission(issue=3).sign(fleeting, at=NOON)
        await given(begin, a_submission("sub_02", issue=2), sent)

        async with begin() as work:
            assert await work.chains.lock_submission(sent.id) == sent
            queued = await work.chains.lock_submission(SubmissionId("sub_02"))
            assert queued.issue == 2
            await work.chains.save_submission(sent.expire(at=until + timedelta(seconds=1)))
            await work.chains.save_submission(queued.join(sent.id))
            await work.commit()
        async with begin() as work:
            assert await work.chains.in_flight(CHAIN, limit=9) == []
            assert await work.chains.queued(CHAIN, limit=9) == []
            expired = await work.chains.lock_submission(sent.id)
        assert (expired.state, expired.signed) == (SubmissionState.EXPIRED, fleeting)

    async def test_a_submission_is_added_once(self, begin: Begin) -> None:
        await given(begin, a_submission())

        with pytest.raises(AlreadyExists):
            await given(begin, a_submission())

    async def test_an_unknown_submission_is_not_found(self, begin: Begin) -> None:
        async with begin() as work:
            with pytest.raises(NotFound):
                await work.chains.lock_submission(SubmissionId("sub_99"))

    async def test_queued_and_in_flight_are_told_apart_oldest_first(self, begin: Begin) -> None:
        def made(n: int) -> object:
            return a_submission(f"sub_0{n}", created_at=NOON + timedelta(minutes=n))

        await given(begin, *(made(n) for n in range(9, 0, -1)))
        await given(begin, a_submission("sub_10", chain=OTHER_CHAIN))
        async with begin() as work:
            for n, end in ((3, "signed"), (5, "broadcast"), (7, "unknown"), (8, "confirmed")):
                submission = await work.chains.lock_submission(SubmissionId(f"sub_0{n}"))
                submission = submission.sign(signed_bytes(f"s{n}", sequence=n), at=NOON)
                if end == "broadcast":
                    submission = submission.broadcast()
                if end == "unknown":
                    submission = submission.lose(reason="no answer")
                if end == "confirmed":
                    submission = submission.conclude(an_inclusion())
                await work.chains.save_submission(submission)
            refused = await work.chains.lock_submission(SubmissionId("sub_09"))
            await work.chains.save_submission(refused.refuse(reason="reverts"))
            await work.commit()

        async with begin() as work:
            queued = await work.chains.queued(CHAIN, limit=3)
            assert [it.id for it in queued] == ["sub_01", "sub_02", "sub_04"]
            in_flight = await work.chains.in_flight(CHAIN, limit=9)
            assert [it.id for it in in_flight] == ["sub_03", "sub_05", "sub_07"]


async def claim(begin: Begin, observation: Observation) -> bool:
    async with begin() as work:
        claimed = await work.chains.claim(observation)
        await work.commit()
        return claimed


async def observed(begin: Begin) -> list[Observation]:
    async with begin() as work:
        return [*await work.chains.observed(CHAIN, finality=ANY, first=0, last=99)]


async def set_finality(begin: Begin, *, was: Finality, now: Finality) -> bool:
    async with begin() as work:
        moved = await work.chains.set_finality(an_observation().key, was=was, now=now)
        await work.commit()
        return moved
