"""Answers are asked for once, unless those who gave them come to be doubted."""

from __future__ import annotations

from adapters.ton.liteservers import Liteservers
from adapters.ton.remembered import Remembered
from adapters.ton.settings import TESTNET, TonChain
from tests.adapters.ton.on_devnet.gateway import COIN


class Asked:
    """Somebody who counts, and is told something of liteservers while he is asked."""

    def __init__(self, *, most: int = 9) -> None:
        self.servers = Liteservers(
            TonChain(global_id=TESTNET, config={"liteservers": []}, native=COIN)
        )
        self.remembered: Remembered[str, int] = Remembered(self.servers, most=most)
        self.count = 0
        self.is_contradicted = False

    async def ask(self) -> int:
        self.count += 1
        count = self.count
        if self.is_contradicted:
            self.is_contradicted = False
            self.servers.doubt()
            await self.get("b")
        return count

    async def get(self, key: str = "a") -> int:
        return await self.remembered.get(key, self.ask)


async def test_each_is_asked_for_once() -> None:
    asked = Asked()
    assert [await asked.get(key) for key in ("a", "b", "a", "b")] == [1, 2, 1, 2]


async def test_the_oldest_go_first_where_there_is_too_much() -> None:
    asked = Asked(most=2)
    assert [await asked.get(key) for key in ("a", "b", "c", "b", "a")] == [1, 2, 3, 2, 4]


async def test_all_is_asked_for_again_after_a_doubt() -> None:
    asked = Asked()
    await asked.get()
    asked.servers.doubt()
    assert [await asked.get(key) for key in ("b", "a", "a")] == [2, 3, 3]


async def test_what_was_contradicted_while_it_was_asked_for_is_not_kept() -> None:
    asked = Asked()
    asked.is_contradicted = True
    assert await asked.get("a") == 1
    assert [await asked.get(key) for key in ("b", "a", "a")] == [2, 3, 3]
