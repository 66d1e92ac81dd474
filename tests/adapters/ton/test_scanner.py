"""The blocks before a shard's block, where shards split and merge; the devnet has one shard."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pytoniq_core import BlockIdExt

from adapters.ton.scanner import WHOLE, parents

LEFT, RIGHT = 0x4000000000000000, 0xC000000000000000 - 2**64
"""The halves of a workchain, as signed numbers."""
LEFT_LEFT, LEFT_RIGHT = 0x2000000000000000, 0x6000000000000000
RIGHT_LEFT, RIGHT_RIGHT = 0xA000000000000000 - 2**64, 0xE000000000000000 - 2**64


def reference(seqno: int) -> Any:  # noqa: ANN401 (as the library's ExtBlkRef)
    return SimpleNamespace(seqno=seqno, root_hash=bytes([seqno] * 32), file_hash=bytes(32))


def before(shard: int, **how: bool) -> list[tuple[int, int]]:
    """Return shard and number of what comes before block 9 of a shard."""
    one = how.get("after_merge", False)
    prev = (
        SimpleNamespace(prev1=reference(7), prev2=reference(8))
        if one
        else SimpleNamespace(prev=reference(8))
    )
    info: Any = SimpleNamespace(
        prev_ref=prev, after_merge=one, after_split=how.get("after_split", False)
    )
    name = BlockIdExt(0, shard, 9, bytes(32), bytes(32))
    found = parents(name, info)
    assert all(each.root_hash == bytes([each.seqno] * 32) for each in found)
    return [(each.shard, each.seqno) for each in found]


@pytest.mark.parametrize("shard", [WHOLE, LEFT, RIGHT, LEFT_RIGHT])
def test_a_block_follows_one_of_its_shard(shard: int) -> None:
    assert before(shard) == [(shard, 8)]


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (LEFT, WHOLE),
        (RIGHT, WHOLE),
        (LEFT_LEFT, LEFT),
        (LEFT_RIGHT, LEFT),
        (RIGHT_LEFT, RIGHT),
        (RIGHT_RIGHT, RIGHT),
    ],
)
def test_after_a_split_the_parent_is_of_the_whole(child: int, parent: int) -> None:
    assert before(child, after_split=True) == [(parent, 8)]


@pytest.mark.parametrize(
    ("whole", "halves"),
    [(WHOLE, (LEFT, RIGHT)), (LEFT, (LEFT_LEFT, LEFT_RIGHT)), (RIGHT, (RIGHT_LEFT, RIGHT_RIGHT))],
)
def test_after_a_merge_the_parents_are_the_halves(whole: int, halves: tuple[int, int]) -> None:
    assert before(whole, after_merge=True) == [(halves[0], 7), (halves[1], 8)]
