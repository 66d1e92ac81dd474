"""An operator takes back messages that have a last moment: no others follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.chains.canceling import Canceling
from domain.chains.submissions import SubmissionState
from domain.ledger.accounts import PAYOUTS_IN_FLIGHT
from domain.settlements.payouts import PayoutState
from tests.contracts.expiring import ADA, GRACE, dropped
from tests.domain.scene import NET
from tests.domain.shared_wallet import ASSETS, CHAIN, PLACES, VALID_FOR

if TYPE_CHECKING:
    from domain.chains.model import Block
    from domain.chains.submissions import SignedBytes, Submission
    from domain.shared.ids import SubmissionId
    from tests.domain.shared_wallet import SharedWallet


async def take_back(wallet: SharedWallet, submission: Submission) -> None:
    around = wallet.around
    service = Canceling(wallet.begin, around.clock, around.ids, ASSETS, {CHAIN: PLACES})
    await service.cancel(submission_id=submission.id)


class Overtaken:
    """A node that gives its proof while another process signs anew with the same number."""

    def __init__(self, wallet: SharedWallet, id: SubmissionId) -> None:
        self._wallet = wallet
        self._id = id

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has there)
        return getattr(self._wallet.chain, name)

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        async with self._wallet.begin() as work:
            locked = await work.chains.lock_submission(self._id)
            if len(locked.attempts) == 1:
                other = attrs.evolve(signed, hash=signed.hash[::-1])
                await work.chains.save_submission(locked.replace(other, after=None))
                await work.commit()
        return await self._wallet.chain.is_absent(signed, through=through)


class TakingBackContract:
    @pytest.fixture
    def wallet(self) -> SharedWallet:
        raise NotImplementedError

    async def test_what_expires_then_is_refused_and_comes_back(self, wallet: SharedWallet) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        await take_back(wallet, await dropped(wallet))
        await wallet.send()
        await wallet.lapse()

        refused = await wallet.payout(payout.id)
        assert (refused.state, refused.reason) == (PayoutState.REFUSED, "canceled by an operator")
        assert await wallet.booked(PAYOUTS_IN_FLIGHT) == 0
        assert await wallet.set_aside(refused) == NET
        assert await wallet.queued() == []

    async def test_a_batch_is_taken_back_as_a_whole(self, wallet: SharedWallet) -> None:
        payouts = await wallet.payouts_under_way([ADA, GRACE])
        await take_back(wallet, await dropped(wallet))
        await wallet.lapse()

        ends = [(await wallet.payout(it.id)).state for it in payouts]
        assert ends == [PayoutState.REFUSED] * 2
        assert await wallet.queued() == []

    async def test_what_lands_all_the_same_is_paid(self, wallet: SharedWallet) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        await wallet.send()
        [sent] = await wallet.in_flight()
        await take_back(wallet, sent)
        await wallet.send()
        await wallet.settle_down()

        assert (await wallet.payout(payout.id)).state is PayoutState.CONFIRMED
        async with wallet.begin() as work:
            ended = await work.chains.lock_submission(sent.id)
        assert (ended.state, len(ended.attempts)) == (SubmissionState.CONFIRMED, 1)

    async def test_nothing_expires_that_was_signed_anew_while_it_was_looked_for(
        self, wallet: SharedWallet
    ) -> None:
        await wallet.payouts_under_way([ADA])
        sent = await dropped(wallet)

        reader: Any = Overtaken(wallet, sent.id)
        slow = wallet.process(reader=reader)
        wallet.around.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
        wallet.chain.mine()
        wallet.chain.finalize()
        while (await slow.watcher.watch(chain=CHAIN)).behind:
            pass

        [waiting] = await wallet.in_flight()
        assert len(waiting.attempts) == 2
