"""What will be paid on the second chain in a day, by memos: right, wrong, missing or shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.simulation.drawn import DAY, Drawn, chance
from config.simulation.shopping import address

if TYPE_CHECKING:
    from random import Random

SPELLINGS = ("plain", "plain", "lower", "groups", "look-alikes")
"""How payers write a memo that they were given."""
MISTAKES = ("missing", "missing", "typo", "prose")
"""How they get it wrong."""
NODES = ("down", "down", "slow", "lagging", "lagging", "empty", "short", "unindexed", "unindexed")


def draw(random: Random, merchant: int) -> list[Drawn]:
    """Draw one merchant's day on the second chain."""
    drawn: list[Drawn] = []
    for _ in range(random.choice((1, 1, 2, 2))):
        _payment(random, merchant, drawn)
    if chance(random, 12):
        detail = {"amount": random.randrange(1, 10**7), "asset": random.choice(("token", "coin"))}
        drawn.append(Drawn(random.randrange(DAY), "dust_by_memo", "", detail))
    if chance(random, 15):
        cost = random.randrange(1, 500)
        drawn.append(Drawn(random.randrange(DAY), "rent", "", {"cost": cost}))
    if chance(random, 25):
        detail = {"merchant": merchant, "hours": random.choice((2, 8, 20))}
        drawn.append(Drawn(random.randrange(DAY), "bounce", "", detail))
    return drawn


def draw_mischief(random: Random, merchants: int) -> list[Drawn]:
    """Draw what goes wrong with the second chain's nodes in a day."""
    times = random.randrange(2 + merchants)
    return [_mischief(random, random.randrange(DAY)) for _ in range(times)]


def _payment(random: Random, merchant: int, drawn: list[Drawn]) -> None:
    """Draw one intent and what becomes of it."""
    at, place = random.randrange(DAY), len(drawn)
    in_coins = chance(random, 20)
    detail: dict[str, int | str] = {
        "merchant": merchant,
        "method": "memo",
        "cents": random.randrange(50, 60_000),
        "asset": "coin" if in_coins else "token",
        "repeats": random.choice((0, 0, 0, 1, 2)),
    }
    drawn.append(Drawn(at, "create", "", detail))
    for after, verb, more in address(random):
        if verb != "pay":
            drawn.append(Drawn(at + after, verb, "", more, place))
            continue
        written = _written(random, other=more["asset"] == "other", in_coins=in_coins)
        drawn.append(Drawn(at + after, "pay_by_memo", "", {**more, **written}, place))


def _written(random: Random, *, other: bool, in_coins: bool) -> dict[str, int | str]:
    """Draw who pays, in what, and what is written beside it."""
    wrong = "token" if in_coins else "coin"
    asset = random.choice((wrong, "other")) if other else ("coin" if in_coins else "token")
    mistaken = chance(random, 12)
    return {
        "asset": asset,
        "memo": random.choice(MISTAKES if mistaken else SPELLINGS),
        "payer": random.choice((1, 1, 2)),
    }


def _mischief(random: Random, at: int) -> Drawn:
    match random.choice(("nodes", "nodes", "lost", "dropped", "full", "full")):
        case "lost":
            lost: dict[str, int | str] = {"times": random.randrange(1, 4), "rail": "ton"}
            return Drawn(at, "lose_answers", "rpc", lost)
        case "dropped":
            return Drawn(at, "drop_waiting", "rpc", {"rail": "ton"})
        case "full":
            minutes = {"minutes": random.randrange(20, 240)}
            return Drawn(at, "full_blocks", "rpc", minutes)
    detail: dict[str, int | str] = {
        "kind": random.choice(NODES),
        "minutes": random.choice((20, 60, 90)),
        "share": random.choice((15, 40, 100, 100)),
        "rail": "ton",
    }
    if detail["kind"] == "lagging":
        detail["blocks"] = random.randrange(1, 6)
    return Drawn(at, "nodes", "rpc", detail)
