from __future__ import annotations

import re
import threading
import time
import uuid

import pytest

from adapters.system.clock import SystemClock
from adapters.system.ids import RandomIds
from tests.contracts.clock import ClockContract
from tests.contracts.ids import IdsContract

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()

    def test_it_goes_with_the_machines(self, clock: SystemClock) -> None:
        assert abs(clock.now().timestamp() - time.time()) < 5


class TestRandomIds(IdsContract):
    @pytest.fixture
    def ids(self) -> RandomIds:
        return RandomIds()

    def test_the_unique_part_is_a_uuid_of_version_7(self, ids: RandomIds) -> None:
        text = ids.new("intent").removeprefix("pi_")
        assert re.fullmatch(f"[{ALPHABET}]{{26}}", text)

        number = 0
        for digit in text:
            number = number * 32 + ALPHABET.index(digit)
        read = uuid.UUID(int=number)

        assert (read.version, read.variant) == (7, uuid.RFC_4122)
        assert abs((number >> 80) / 1000 - time.time()) < 5

    def test_ids_go_on_while_the_clock_goes_back(
        self, ids: RandomIds, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = time.time_ns()
        drawn = []
        for seconds in (0, -3600, -1, 0, 1):
            monkeypatch.setattr(time, "time_ns", lambda at=seconds: now + at * 10**9)
            drawn.append(ids.new("job"))

        assert drawn == sorted(set(drawn))

    def test_the_random_part_never_overflows_into_the_rest(
        self, ids: RandomIds, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: 10**18)
        first = ids.new("job")
        monkeypatch.setattr(ids, "_tail", 2**74 - 1)

        assert ids.new("job") > first

    def test_threads_draw_different_ids(self, ids: RandomIds) -> None:
        drawn: list[str] = []

        def draw() -> None:
            drawn.extend(ids.new("job") for _ in range(500))

        threads = [threading.Thread(target=draw) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(drawn)) == 2_000
