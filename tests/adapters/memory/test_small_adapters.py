from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.clock import EPOCH, FakeClock
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from adapters.memory.escrow_contract import InMemoryEscrowContracts
from adapters.memory.ids import SequentialIds
from adapters.memory.publisher import RecordingPublisher
from adapters.memory.rates import FixedRates
from adapters.memory.signer import InMemorySigner
from ports.publisher import Publisher
from ports.rates import RateUnavailable
from tests.builders import USD, USDT
from tests.contracts.clock import ClockContract
from tests.contracts.deposit_addresses import DepositAddressesContract
from tests.contracts.escrow_contract import EscrowContractsContract
from tests.contracts.ids import IdsContract
from tests.contracts.publisher import SECRET, PublisherContract, post
from tests.contracts.rates import RateSourceContract
from tests.contracts.signer import SignerContract

if TYPE_CHECKING:
    from datetime import datetime

    from ports.clock import Clock
    from ports.deposit_addresses import DepositAddresses
    from ports.escrow_contract import EscrowContracts
    from ports.ids import Ids
    from ports.signer import Signer
    from tests.contracts.publisher import Receiver


class TestFakeClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return FakeClock()

    def test_it_moves_when_it_is_told_to(self) -> None:
        clock = FakeClock()

        assert clock.advance(hours=1, seconds=0.5) == clock.now()
        assert clock.now() == EPOCH + timedelta(hours=1, seconds=0.5)
        clock.move_to(EPOCH + timedelta(days=1))
        assert clock.now() == EPOCH + timedelta(days=1)

    def test_it_never_goes_back(self) -> None:
        with pytest.raises(ValueError, match="never goes back"):
            FakeClock().move_to(EPOCH - timedelta(seconds=1))

    def test_it_needs_a_zone(self) -> None:
        with pytest.raises(ValueError, match="zone"):
            FakeClock(EPOCH.replace(tzinfo=None))


class TestSequentialIds(IdsContract):
    @pytest.fixture
    def ids(self) -> Ids:
        return SequentialIds()

    def test_each_run_draws_the_same(self) -> None:
        one, same, other = SequentialIds(), SequentialIds(), SequentialIds(seed=1)

        assert one.new("intent") == same.new("intent") == "pi_" + "1".rjust(26, "0")
        drawn = one.entropy(16)
        assert drawn == same.entropy(16) != other.entropy(16)


class TestFixedRates(RateSourceContract):
    @pytest.fixture
    def source(self, clock: FakeClock) -> FixedRates:
        rates = FixedRates(name="north", clock=clock)
        rates.say(USDT, USD, "0.9998")
        return rates

    @pytest.fixture
    def at(self, clock: FakeClock) -> datetime:
        return clock.now()

    async def test_it_fails_as_often_as_it_is_told_to(self, source: FixedRates) -> None:
        source.fail_next()
        with pytest.raises(RateUnavailable):
            await source.observe(asset=USDT, currency=USD)
        await source.observe(asset=USDT, currency=USD)

    async def test_it_ages_and_falls_silent(self, source: FixedRates, at: datetime) -> None:
        source.age_by(timedelta(minutes=9))
        observation = await source.observe(asset=USDT, currency=USD)
        assert observation.observed_at == at - timedelta(minutes=9)

        source.fall_silent(USDT, USD)
        with pytest.raises(RateUnavailable):
            await source.observe(asset=USDT, currency=USD)


@attrs.define
class RecordedReceiver:
    recorder: RecordingPublisher
    publisher: Publisher
    url: str = "https://shop.example/hooks"

    def answer(self, status: int) -> None:
        self.recorder.refuse_next(status)

    def fall_silent(self) -> None:
        self.recorder.time_out_next()

    def bodies(self) -> list[bytes]:
        return [it.body for it in self.recorder.posts]


class TestRecordingPublisher(PublisherContract):
    @pytest.fixture
    def receiver(self) -> Receiver:
        recorder = RecordingPublisher()
        return RecordedReceiver(recorder, recorder)

    async def test_it_keeps_what_it_refused(self, receiver: RecordedReceiver) -> None:
        receiver.answer(500)
        await post(receiver)
        assert (await post(receiver)).accepted

        first, second = receiver.recorder.posts
        assert first == second
        assert (first.url, first.secret, first.message_id) == (receiver.url, SECRET, "evt_01")


class TestEscrowContracts(EscrowContractsContract):
    @pytest.fixture
    def contracts(self) -> EscrowContracts:
        return InMemoryEscrowContracts()


class TestDepositAddresses(DepositAddressesContract):
    @pytest.fixture
    def addresses(self) -> DepositAddresses:
        return InMemoryDepositAddresses()


class TestSigner(SignerContract):
    @pytest.fixture
    def signer(self) -> Signer:
        return InMemorySigner()

    @pytest.fixture
    def unsigned(self) -> list[bytes]:
        return [b"unsigned:one", b"unsigned:other"]
