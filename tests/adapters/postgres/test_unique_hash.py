"""Bytes are one submission's: the database refuses to sign the same ones for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ports.unit_of_work import AlreadyExists
from tests.builders import NOON
from tests.chain_builders import a_submission, signed_bytes

if TYPE_CHECKING:
    from ports.unit_of_work import Begin


async def test_no_two_submissions_have_the_same_bytes(begin: Begin) -> None:
    first, second = (
        a_submission(id).sign(signed_bytes("payout"), at=NOON) for id in ("sub_01", "sub_02")
    )
    async with begin() as work:
        await work.chains.add_submission(first)
        await work.commit()
    async with begin() as work:
        await work.chains.add_submission(second)
        with pytest.raises(AlreadyExists):
            await work.commit()
