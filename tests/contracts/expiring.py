"""What is kept of messages that have a last moment, over every storage.

Until a final block proves that one will never take effect, its bytes are the only ones; then
others follow, so and so often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.chains.instructions import SendMany
from domain.chains.model import ChainParked
from domain.chains.submissions import (
    BROADCAST_AGAIN_AFTER,
    ISSUES_MAX,
    UNKNOWN_AFTER,
    SubmissionState,
)
from domain.ledger.accounts import PAYOUTS_IN_FLIGHT
from domain.settlements.payouts import PayoutState
from ports.chain import ChainUnavailable
from tests.domain.scene import NET
from tests.domain.shared_wallet import CHAIN, VALID_FOR, till

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.model import Block
    from domain.chains.submissions import Inclusion, SignedBytes, Submission
    from tests.domain.shared_wallet import SharedWallet

S = PayoutState
ADA, GRACE = till("Ada"), till("Grace")


class Behind:
    """A node that does not know our transactions, and says so or does not answer at all."""

    def __init__(self, wallet: SharedWallet, *, answers: bool) -> None:
        self._chain = wallet.chain
        self._answers = answers

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has there)
        return getattr(self._chain, name)

    async def inclusions(self, hashes: Sequence[str]) -> Sequence[Inclusion]:
        del hashes
        return []

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        if not self._answers:
            raise ChainUnavailable(f"no node has block {through.number}")
        return await self._chain.is_absent(signed, through=through)


class Forgetful:
    """A node that says of everything that it is not there."""

    def __init__(self, wallet: SharedWallet) -> None:
        self._wallet = wallet
        self._chain = wallet.chain

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has there)
        return getattr(self._chain, name)

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        del signed, through
        return True


class Distrusted(Forgetful):
    """A node that gives the proof just before another process parks the chain."""

    async def is_absent(self, signed: SignedBytes, *, through: Block) -> bool:
        async with self._wallet.begin() as work:
            cursor = await work.chains.lock_cursor(CHAIN)
            assert cursor is not None
            await work.chains.save_cursor(attrs.evolve(cursor, parked="it broke its word"))
            await work.commit()
        return await super().is_absent(signed, through=through)


async def dropped(wallet: SharedWallet) -> Submission:
    """Return what was signed and sent, and that every node has dropped."""
    await wallet.send()
    wallet.chain.blocks.pool.clear()
    [sent] = await wallet.in_flight()
    return sent


class ExpiringContract:
    @pytest.fixture
    def wallet(self) -> SharedWallet:
        raise NotImplementedError

    async def test_what_was_not_taken_in_by_its_last_moment_is_paid_by_other_bytes(
        self, wallet: SharedWallet
    ) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        sent = await dropped(wallet)
        await wallet.lapse()

        again = await wallet.payout(payout.id)
        assert (again.state, again.transaction) == (S.APPROVED, None)
        assert await wallet.set_aside(again) == NET
        assert await wallet.booked(PAYOUTS_IN_FLIGHT) == 0
        [queued] = await wallet.queued()
        assert (queued.id, queued.issue) == (again.submission_id, 2)
        async with wallet.begin() as work:
            expired = await work.chains.lock_submission(sent.id)
        assert (expired.state, expired.signed) == (SubmissionState.EXPIRED, sent.signed)
        await wallet.must_be_right()

        await wallet.send()
        [other] = await wallet.in_flight()
        assert other.signed is not None
        assert sent.signed is not None
        assert other.signed.sequence > sent.signed.sequence
        assert other.signed.hash != sent.signed.hash
        await wallet.settle_down()

        assert await wallet.states([payout]) == [S.CONFIRMED]
        assert wallet.held(ADA) == NET
        await wallet.must_be_right()

    async def test_no_wall_clock_proves_anything(self, wallet: SharedWallet) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        sent = await dropped(wallet)
        wallet.around.clock.advance(days=2)
        await wallet.watch()
        await wallet.send()
        wallet.chain.mine()
        await wallet.watch()

        assert [it.id for it in await wallet.in_flight()] == [sent.id]
        assert await wallet.states([payout]) == [S.UNKNOWN]
        assert await wallet.queued() == []

    async def test_the_last_moment_itself_is_not_over(self, wallet: SharedWallet) -> None:
        await wallet.payouts_under_way([ADA])
        sent = await dropped(wallet)
        assert sent.signed is not None
        assert sent.signed.valid_until is not None
        left = sent.signed.valid_until - wallet.around.clock.now()
        wallet.around.clock.advance(seconds=int(left.total_seconds()))
        await wallet.settle_down()
        assert len(await wallet.in_flight()) == 1

        wallet.around.clock.advance(seconds=1)
        await wallet.settle_down()
        assert await wallet.in_flight() == []

    async def test_the_same_bytes_are_handed_over_until_then(self, wallet: SharedWallet) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        sent = await dropped(wallet)
        wallet.around.clock.advance(seconds=BROADCAST_AGAIN_AFTER.seconds)
        await wallet.send()

        assert [it.hash for it in wallet.chain.blocks.pool] == [sent.signed and sent.signed.hash]
        await wallet.settle_down()
        await wallet.lapse()

        assert await wallet.states([payout]) == [S.CONFIRMED]
        assert wallet.held(ADA) == NET
        await wallet.must_be_right()

    async def test_unknown_is_resolved_by_the_proof_too(self, wallet: SharedWallet) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        await dropped(wallet)
        wallet.around.clock.advance(seconds=int(UNKNOWN_AFTER.total_seconds()))
        await wallet.send()
        wallet.chain.blocks.pool.clear()
        assert await wallet.states([payout]) == [S.UNKNOWN]

        await wallet.lapse()

        assert await wallet.states([payout]) == [S.APPROVED]

    @pytest.mark.parametrize("answers", [True, False])
    async def test_a_node_that_does_not_know_a_transaction_is_no_proof(
        self, wallet: SharedWallet, *, answers: bool
    ) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        await wallet.send()
        wallet.chain.mine()
        wallet.around.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
        wallet.chain.mine()
        wallet.chain.finalize()
        node: Any = Behind(wallet, answers=answers)
        watcher = wallet.process(reader=node).watcher
        for _ in range(3):
            if answers:
                await watcher.watch(chain=CHAIN)
                continue
            with pytest.raises(ChainUnavailable):
                await watcher.watch(chain=CHAIN)

        assert await wallet.queued() == []
        assert await wallet.states([payout]) == [S.BROADCAST]
        await wallet.settle_down()
        assert await wallet.states([payout]) == [S.CONFIRMED]
        await wallet.must_be_right()

    async def test_what_is_still_under_way_has_not_expired_and_is_not_done(
        self, wallet: SharedWallet
    ) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        wallet.chain.state.nature = attrs.evolve(wallet.chain.state.nature, travels=9)
        await wallet.send()
        wallet.chain.mine()
        landed = wallet.chain.blocks.latest
        wallet.around.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
        wallet.chain.mine(7)
        node: Any = Forgetful(wallet)
        for reader in (None, node):
            await wallet.process(reader=reader).watcher.watch(chain=CHAIN)
        [inclusion] = await wallet.chain.inclusions(
            [it.signed.hash for it in await wallet.in_flight() if it.signed]
        )
        assert not inclusion.settled
        assert inclusion.block_number == landed <= (await wallet.chain.head()).final - 2
        assert await wallet.states([payout]) == [S.BROADCAST]

        await wallet.settle_down()
        await wallet.settle_down()

        assert await wallet.states([payout]) == [S.CONFIRMED]
        assert wallet.held(ADA) == NET

    async def test_what_shows_before_it_has_arrived_is_no_disagreement(
        self, wallet: SharedWallet
    ) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        wallet.chain.state.nature = attrs.evolve(wallet.chain.state.nature, travels=9)
        await wallet.send()
        conservation = wallet.services.conservation
        for _ in range(16):
            wallet.chain.mine()
            assert await conservation.reconcile(chain=CHAIN) == ()
            await wallet.services.watcher.watch(chain=CHAIN)
            assert await conservation.reconcile(chain=CHAIN) == ()

        assert await wallet.states([payout]) == [S.CONFIRMED]
        await wallet.must_be_right()

    async def test_each_part_of_a_batch_follows_and_joins_another(
        self, wallet: SharedWallet
    ) -> None:
        payouts = await wallet.payouts_under_way([ADA, GRACE])
        await dropped(wallet)
        await wallet.lapse()
        assert [it.issue for it in await wallet.queued()] == [2, 2]

        await wallet.send()
        [sent] = await wallet.in_flight()
        assert isinstance(sent.instruction, SendMany)
        assert [part.issue for part in sent.instruction.parts] == [2, 2]
        await wallet.settle_down()

        assert await wallet.states(payouts) == [S.CONFIRMED] * 2
        assert [wallet.held(each) for each in (ADA, GRACE)] == [NET] * 2
        await wallet.must_be_right()

    async def test_after_so_many_in_vain_a_person_decides(self, wallet: SharedWallet) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        for issue in range(1, ISSUES_MAX + 1):
            assert [it.issue for it in await wallet.queued()] == [issue]
            await dropped(wallet)
            await wallet.lapse()

        refused = await wallet.payout(payout.id)
        assert (refused.state, refused.reason) == (S.REFUSED, "expired time after time")
        assert await wallet.queued() == []
        assert await wallet.set_aside(refused) == NET

        again = await wallet.services.settlements.retry_payout(payout_id=payout.id)
        await wallet.send()
        await wallet.settle_down()
        assert await wallet.states([again]) == [S.CONFIRMED]
        assert wallet.held(ADA) == NET
        await wallet.must_be_right()

    async def test_bytes_that_were_never_handed_over_expire_as_well(
        self, wallet: SharedWallet
    ) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        wallet.chain.time_out_after_accepting()
        await wallet.send()
        wallet.chain.blocks.pool.clear()
        assert await wallet.states([payout]) == [S.SIGNED]

        await wallet.lapse()
        await wallet.send()
        await wallet.settle_down()

        assert await wallet.states([payout]) == [S.CONFIRMED]
        assert wallet.held(ADA) == NET

    async def test_a_chain_that_is_parked_meanwhile_expires_nothing(
        self, wallet: SharedWallet
    ) -> None:
        [payout] = await wallet.payouts_under_way([ADA])
        await dropped(wallet)
        wallet.around.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
        wallet.chain.mine()
        wallet.chain.finalize()
        node: Any = Distrusted(wallet)
        await wallet.process(reader=node).watcher.watch(chain=CHAIN)
        assert await wallet.states([payout]) == [S.BROADCAST]

        with pytest.raises(ChainParked):
            await wallet.watch()
        await wallet.services.watcher.resume(chain=CHAIN)
        await wallet.watch()
        assert await wallet.states([payout]) == [S.APPROVED]
