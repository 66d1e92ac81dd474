"""What every store keeps of transactions that were replaced: all that may still land."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from tests.builders import CHAIN, NOON, OTHER_CHAIN, address_of
from tests.chain_builders import a_submission, an_inclusion, signed_bytes
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from domain.chains.submissions import Submission
    from domain.shared.ids import SubmissionId
    from ports.unit_of_work import Begin

UNTIL = NOON + timedelta(hours=1, microseconds=1)


class AttemptsContract(StorageContract):
    async def test_what_was_replaced_is_kept_to_the_last_bit_in_order(self, begin: Begin) -> None:
        first = attrs.evolve(signed_bytes("first"), raw=bytes(range(256)), valid_until=UNTIL)
        sent = a_submission().sign(first, at=NOON, after=2**40)
        await given(begin, sent)
        await replace(begin, sent, "second", after=9)
        last = await replace(begin, sent, "third", after=None, cancels=True)

        found = await read(begin, sent.id)

        assert found == last
        assert found.earlier[0] == first
        assert [it.raw for it in found.attempts[1:]] == [b"second", b"third"]
        assert [it.cancels for it in found.attempts] == [False, False, True]

    async def test_all_attempts_are_in_flight_with_their_submission(self, begin: Begin) -> None:
        one, other, third = (
            a_submission(f"sub_0{n}", created_at=NOON + timedelta(minutes=n)).sign(
                signed_bytes(f"s{n}", sequence=n), at=NOON
            )
            for n in range(3)
        )
        await given(begin, one, other, third)
        replaced = [
            await replace(begin, one, "a"),
            other,
            await replace(begin, third, "b"),
        ]

        async with begin() as work:
            assert [*await work.chains.in_flight(CHAIN, limit=9)] == replaced

    async def test_an_ended_submission_keeps_its_attempts(self, begin: Begin) -> None:
        sent = a_submission().sign(signed_bytes("first"), at=NOON)
        await given(begin, sent)
        await replace(begin, sent, "second")
        async with begin() as work:
            locked = await work.chains.lock_submission(sent.id)
            await work.chains.save_submission(locked.conclude(an_inclusion("first")))
            await work.commit()

        assert (await read(begin, sent.id)).hashes == (
            signed_bytes("first").hash,
            signed_bytes("second").hash,
        )

    async def test_a_replacement_that_is_undone_leaves_what_there_was(self, begin: Begin) -> None:
        sent = a_submission().sign(signed_bytes("first"), at=NOON)
        await given(begin, sent)
        async with begin() as work:
            locked = await work.chains.lock_submission(sent.id)
            await work.chains.save_submission(locked.replace(signed_bytes("second"), after=1))

        assert await read(begin, sent.id) == sent

    async def test_a_submission_can_be_added_with_all_its_attempts(self, begin: Begin) -> None:
        sent = a_submission().sign(signed_bytes("first"), at=NOON)
        for name in ("second", "third"):
            sent = sent.replace(signed_bytes(name), after=1)
        await given(begin, sent)

        assert await read(begin, sent.id) == sent

    async def test_that_it_was_taken_back_is_kept(self, begin: Begin) -> None:
        sent = a_submission().sign(signed_bytes(), at=NOON)
        await given(begin, sent)
        async with begin() as work:
            locked = await work.chains.lock_submission(sent.id)
            await work.chains.save_submission(locked.take_back())
            await work.commit()

        assert (await read(begin, sent.id)).unwanted

    async def test_submissions_are_found_by_their_senders_numbers(self, begin: Begin) -> None:
        made = [
            a_submission(f"sub_0{n}").sign(signed_bytes(f"s{n}", sequence=n), at=NOON)
            for n in (7, 5, 6, 4)
        ]
        made[1] = made[1].conclude(an_inclusion())
        made[2] = made[2].replace(signed_bytes("s6 again", sequence=6), after=1)
        cold = attrs.evolve(signed_bytes("cold", sequence=9), sender=address_of("cold"))
        elsewhere = a_submission("sub_98", chain=OTHER_CHAIN)
        await given(
            begin,
            *made,
            a_submission("sub_99").sign(cold, at=NOON),
            elsewhere.sign(signed_bytes("there", sequence=9), at=NOON),
            a_submission("sub_97"),
        )

        async with begin() as work:
            hot = address_of("hot")
            found = await work.chains.signed_from(CHAIN, sender=hot, sequence=5, limit=9)
            two = await work.chains.signed_from(CHAIN, sender=hot, sequence=4, limit=2)
        assert [*found] == [made[1], made[2], made[0]]
        assert [*two] == [made[3], made[1]]

    async def test_the_next_number_is_told_without_being_given_out(self, begin: Begin) -> None:
        async def told(sender: str) -> int | None:
            async with begin() as work:
                return await work.chains.next_sequence(CHAIN, sender=address_of(sender))

        assert await told("hot") is None
        async with begin() as work:
            await work.chains.take_sequence(CHAIN, sender=address_of("hot"), at_least=4)
            await work.commit()

        assert [await told("hot"), await told("hot"), await told("cold")] == [5, 5, None]


async def replace(
    begin: Begin, sent: Submission, name: str, *, after: int | None = 1, cancels: bool = False
) -> Submission:
    async with begin() as work:
        locked = await work.chains.lock_submission(sent.id)
        newest = locked.attempts[-1]
        other = signed_bytes(name, sequence=newest.sequence)
        replaced = locked.replace(attrs.evolve(other, cancels=cancels), after=after)
        await work.chains.save_submission(replaced)
        await work.commit()
        return replaced


async def read(begin: Begin, id: SubmissionId) -> Submission:
    async with begin() as work:
        return await work.chains.lock_submission(id)
