"""What is kept of payouts that share a transaction, over every storage: each for itself, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters.memory.offers import COST
from domain.chains.instructions import SendMany, SendMoney
from domain.chains.sending import Sent
from domain.chains.submissions import SubmissionState
from domain.ledger.accounts import NETWORK_FEES, PAYOUTS_IN_FLIGHT
from domain.ledger.parking import ParkedAsset
from domain.settlements.payouts import PayoutState
from domain.shared.money import Money
from ports.chain import InstructionRefused
from ports.unit_of_work import NotFound
from tests.builders import NOON
from tests.chain_builders import a_submission
from tests.domain.scene import GAS, HOT, NET
from tests.domain.shared_wallet import BATCH_MAX, CHAIN, COIN, COIN_DUE, PLACES, TOKEN, till

if TYPE_CHECKING:
    from domain.chains.instructions import Instruction
    from domain.settlements.payouts import Payout
    from ports.chain import Prepared
    from tests.domain.shared_wallet import SharedWallet

S = PayoutState
TILLS = [till(name) for name in ("Ada", "Grace", "Mary")]


class Choosy:
    """A chain whose trial runs fail where an address is paid; it counts them."""

    def __init__(self, wallet: SharedWallet, *refused: str) -> None:
        self.trials: list[Instruction] = []
        self._chain = wallet.chain
        self._refused = refused

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has there)
        return getattr(self._chain, name)

    async def prepare(self, instruction: Instruction) -> Prepared:
        self.trials.append(instruction)
        sends = [instruction]
        if isinstance(instruction, SendMany):
            sends = [part.send for part in instruction.parts]
        for send in sends:
            if isinstance(send, SendMoney) and send.target in self._refused:
                raise InstructionRefused("no such address")
        return await self._chain.prepare(instruction)


async def arrived(wallet: SharedWallet, payouts: list[Payout]) -> bool:
    """Tell whether each has been confirmed, and its money has come once."""
    states = await wallet.states(payouts)
    paid_once = all(wallet.held(payout.destination) == NET for payout in payouts)
    return paid_once and set(states) == {S.CONFIRMED}


class BatchedPayoutsContract:
    @pytest.fixture
    def wallet(self) -> SharedWallet:
        raise NotImplementedError

    async def test_payouts_share_one_transaction_and_its_fee(self, wallet: SharedWallet) -> None:
        payouts = await wallet.payouts_under_way(TILLS)

        assert await wallet.services.sender.send(chain=CHAIN) == Sent(1, 1, 0)

        [sent] = await wallet.in_flight()
        assert isinstance(sent.instruction, SendMany)
        assert [part.payout_id for part in sent.instruction.parts] == [it.id for it in payouts]
        assert sent.state is SubmissionState.BROADCAST
        assert await wallet.queued() == []
        assert await wallet.booked(PAYOUTS_IN_FLIGHT) == 3 * NET
        for payout in payouts:
            signed = await wallet.payout(payout.id)
            assert sent.signed is not None
            assert (signed.submission_id, signed.transaction) == (sent.id, sent.signed.hash)
        await wallet.settle_down()

        assert await arrived(wallet, payouts)
        assert await wallet.booked(NETWORK_FEES, COIN.id) == COST
        assert await wallet.booked(PAYOUTS_IN_FLIGHT) == 0
        await wallet.must_be_right()

    async def test_the_coin_and_tokens_go_together(self, wallet: SharedWallet) -> None:
        wallet.pay(await wallet.intent())
        wallet.pay(await wallet.intent(asset=COIN.id), COIN_DUE, asset=COIN.id)
        await wallet.settle_down()
        assert len(await wallet.services.settlements.run()) == 2

        assert (await wallet.services.sender.send(chain=CHAIN)).signed == 1
        await wallet.settle_down()

        assert wallet.held(till("Ada")) == NET
        assert wallet.held(till("Ada"), COIN.id) == COIN_DUE - COIN_DUE // 100
        assert await wallet.booked(PLACES.gas, COIN.id) == GAS + COIN_DUE // 100 - COST
        await wallet.must_be_right()

    async def test_more_than_one_transaction_takes_go_by_several(
        self, wallet: SharedWallet
    ) -> None:
        payouts = await wallet.payouts_under_way([till(str(n)) for n in range(BATCH_MAX + 1)])

        assert (await wallet.services.sender.send(chain=CHAIN)).signed == 2
        sizes = [len(it.parts) for it in await wallet.in_flight()]
        assert sorted(sizes) == [1, BATCH_MAX]
        await wallet.settle_down()

        assert await arrived(wallet, payouts)
        await wallet.must_be_right()

    async def test_what_does_not_arrive_comes_back_and_the_others_stay(
        self, wallet: SharedWallet
    ) -> None:
        payouts = await wallet.payouts_under_way(TILLS)
        wallet.chain.reject_pushes_to(TILLS[1])
        await wallet.send()
        await wallet.settle_down()

        assert await wallet.states(payouts) == [S.CONFIRMED, S.REFUSED, S.CONFIRMED]
        refused = await wallet.payout(payouts[1].id)
        assert refused.reason == "sent back, or never sent"
        assert await wallet.set_aside(refused) == NET
        assert await wallet.booked(PAYOUTS_IN_FLIGHT) == 0
        await wallet.must_be_right()

        wallet.chain.state.rejecting.clear()
        again = await wallet.services.settlements.retry_payout(payout_id=refused.id)
        await wallet.send()
        await wallet.settle_down()

        assert await wallet.states([again]) == [S.CONFIRMED]
        assert [wallet.held(each) for each in TILLS] == [NET] * 3
        await wallet.must_be_right()

    async def test_what_a_trial_run_refuses_is_no_others_fault(self, wallet: SharedWallet) -> None:
        payouts = await wallet.payouts_under_way(TILLS)
        choosy: Any = Choosy(wallet, TILLS[1])

        await wallet.process(sender=choosy).sender.send(chain=CHAIN)
        await wallet.settle_down()

        assert await wallet.states(payouts) == [S.CONFIRMED, S.REFUSED, S.CONFIRMED]
        assert (await wallet.payout(payouts[1].id)).reason == "no such address"
        await wallet.must_be_right()

    async def test_what_cannot_be_right_does_not_hold_up_the_others(
        self, wallet: SharedWallet
    ) -> None:
        payouts = await wallet.payouts_under_way(TILLS)
        async with wallet.begin() as work:
            oldest = NOON - timedelta(days=1)
            send = SendMoney(Money(1, TOKEN.id), till("nobody"))
            lost = a_submission(
                chain=CHAIN, instruction=send, purpose="po_none", created_at=oldest
            )
            await work.chains.add_submission(lost)
            await work.commit()

        with pytest.raises(NotFound, match="po_none"):
            await wallet.send()

        assert await wallet.states(payouts) == [S.BROADCAST] * 3
        await wallet.settle_down()
        assert await arrived(wallet, payouts)

    async def test_a_wallet_that_cannot_pay_the_network_waits(self, wallet: SharedWallet) -> None:
        payouts = await wallet.payouts_under_way(TILLS)
        wallet.chain.state.move(HOT, till("nobody"), Money(GAS, COIN.id))
        choosy: Any = Choosy(wallet)

        sent = await wallet.process(sender=choosy).sender.send(chain=CHAIN)

        assert (sent.signed, sent.waiting) == (0, 3)
        assert len(choosy.trials) == 2, "all three, then one: the rest lacks the same"
        assert await wallet.states(payouts) == [S.APPROVED] * 3

    async def test_a_parked_asset_is_left_out(self, wallet: SharedWallet) -> None:
        payouts = await wallet.payouts_under_way(TILLS)
        async with wallet.begin() as work:
            parked = ParkedAsset(TOKEN.id, "books and chain disagree", None, NOON)
            await work.parking.park(parked)
            await work.commit()

        assert (await wallet.services.sender.send(chain=CHAIN)).waiting == 3
        assert await wallet.states(payouts) == [S.APPROVED] * 3

    async def test_senders_at_once_send_each_once(self, wallet: SharedWallet) -> None:
        payouts = await wallet.payouts_under_way(TILLS)

        sent = await asyncio.gather(*(wallet.process().sender.send(chain=CHAIN) for _ in range(3)))
        await wallet.settle_down()

        assert sum(one.signed for one in sent) == 1
        assert await arrived(wallet, payouts)
        await wallet.must_be_right()
