"""What every ledger keeps of seals: each transaction has one, and nothing is passed over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.ledger.accounts import available, reserved
from domain.ledger.seals import continued, link
from ports.unit_of_work import AlreadyExists
from tests.builders import MERCHANT, OTHER_MERCHANT, earned, paid_to
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.model import BookedTransaction
    from domain.ledger.seals import SealedTransaction
    from ports.unit_of_work import Begin


async def seal(begin: Begin, *, limit: int = 100) -> Sequence[BookedTransaction]:
    """Seal what there is, as the use case does."""
    async with begin() as work:
        booked = await work.ledger.unsealed(limit=limit)
        await work.ledger.add_seals(*continued(await work.ledger.last_seal(), booked))
        await work.commit()
    return booked


async def sealed(begin: Begin, *, prefix: str = "") -> Sequence[SealedTransaction]:
    async with begin() as work:
        return await work.ledger.sealed(after=0, limit=1000, prefix=prefix)


class SealsContract(StorageContract):
    async def test_all_is_sealed_in_order_and_once(self, begin: Begin) -> None:
        await given(begin, *(earned(n, reference=f"pi_{n}") for n in range(1, 6)))

        batches = [await seal(begin, limit=2) for _ in range(4)]

        assert [[it.transaction.reference for it in batch] for batch in batches] == [
            ["pi_1", "pi_2"],
            ["pi_3", "pi_4"],
            ["pi_5"],
            [],
        ]
        found = await sealed(begin)
        assert [it.seal.number for it in found] == [1, 2, 3, 4, 5]
        assert [it.booked for it in found] == [it for batch in batches for it in batch]

    async def test_the_chain_is_continued(self, begin: Begin) -> None:
        await given(begin, earned(1), earned(2))
        async with begin() as work:
            assert await work.ledger.last_seal() is None
        await seal(begin, limit=1)
        await seal(begin)

        first, second = await sealed(begin)
        assert second.seal.hash == link(first.seal.hash, second.booked)
        async with begin() as work:
            assert await work.ledger.last_seal() == second.seal

    async def test_what_was_sealed_and_not_committed_is_not_sealed(self, begin: Begin) -> None:
        await given(begin, earned(1))
        async with begin() as work:
            [booked] = await work.ledger.unsealed(limit=9)
            await work.ledger.add_seals(*continued(None, [booked]))

        assert await seal(begin) == [booked]

    async def test_sealers_take_turns(self, begin: Begin) -> None:
        await given(begin, *(earned(n) for n in range(1, 21)))

        await asyncio.gather(*(seal(begin, limit=4) for _ in range(6)))

        found = await sealed(begin)
        assert [it.seal.number for it in found] == list(range(1, 21))
        expected = list(continued(None, [it.booked for it in found]))
        assert [it.seal for it in found] == expected

    @pytest.mark.parametrize("field", ["number", "transaction_id"])
    async def test_a_number_and_a_transaction_are_sealed_once(
        self, begin: Begin, field: str
    ) -> None:
        await given(begin, earned(1), earned(2))
        async with begin() as work:
            first, second = continued(None, await work.ledger.unsealed(limit=2))
            await work.ledger.add_seals(first)
            await work.commit()

        async def seal_again() -> None:
            async with begin() as work:
                await work.ledger.add_seals(attrs.evolve(second, **{field: getattr(first, field)}))
                await work.commit()

        with pytest.raises(AlreadyExists) as refusal:
            await seal_again()
        assert refusal.value.kind == "seal"

    async def test_seals_are_read_page_by_page(self, begin: Begin) -> None:
        await given(begin, *(earned(n) for n in range(1, 6)))
        await seal(begin)

        async with begin() as work:
            page = await work.ledger.sealed(after=2, limit=2)
            assert [it.seal.number for it in page] == [3, 4]
            assert await work.ledger.sealed(after=5, limit=2) == []

    async def test_seals_are_found_by_the_accounts_they_touch(self, begin: Begin) -> None:
        await given(
            begin,
            earned(10),
            earned(5, by=OTHER_MERCHANT),
            paid_to(reserved(MERCHANT), 3),
            paid_to(available(MERCHANT), 1, by=OTHER_MERCHANT),
        )
        await seal(begin)

        mine = await sealed(begin, prefix=f"merchant:{MERCHANT}:")
        assert [it.seal.number for it in mine] == [1, 3, 4]
        assert all(len(it.booked.transaction.postings) == 2 for it in mine)
        aside = await sealed(begin, prefix=reserved(MERCHANT))
        assert [it.seal.number for it in aside] == [3]
        async with begin() as work:
            page = await work.ledger.sealed(after=1, limit=1, prefix=f"merchant:{MERCHANT}:")
        assert [it.seal.number for it in page] == [3]

    async def test_what_is_undone_leaves_no_gap(self, begin: Begin) -> None:
        await given(begin, earned(1))
        async with begin() as work:
            await work.ledger.book(earned(2))
            await work.ledger.transactions(reference="pi_01")
        await given(begin, earned(3))

        for _ in range(3):
            await seal(begin)
        assert [it.seal.number for it in await sealed(begin)] == [1, 2]
