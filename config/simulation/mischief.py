"""What will go wrong in a day, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.simulation.drawn import DAY, Drawn, chance

if TYPE_CHECKING:
    from random import Random

PROCESSES = ("worker-1", "worker-2", "api-1")


def draw(random: Random, merchants: int) -> list[Drawn]:
    """Draw a day's faults, of every kind."""
    drawn: list[Drawn] = []
    busy = 2 + merchants // 2
    for draw_some, times in (
        (_crash, 4 * busy),
        (_network, 4 * busy),
        (_reorg, 2 + busy),
        (_queue, 3 * busy),
        (_webhooks, busy),
        (_storage, 3 * busy),
    ):
        for _ in range(random.randrange(times + 1)):
            at = random.randrange(DAY)
            drawn.append(draw_some(random, at, merchants))
    return drawn


def _crash(random: Random, at: int, _: int) -> Drawn:
    process = random.choice(PROCESSES)
    if chance(random, 10):
        minutes = random.choice((20, 90, 400))
        return Drawn(at, "outage", "crash", {"minutes": minutes})
    if chance(random, 25):
        seconds = random.choice((5, 21, 45, 400, 4000))
        return Drawn(at, "freeze", "crash", {"process": process, "seconds": seconds})
    return Drawn(at, "crash", "crash", {"process": process, "steps": random.randrange(1, 150)})


def _network(random: Random, at: int, _: int) -> Drawn:
    minutes = random.choice((1, 5, 20, 60))
    share = random.choice((15, 40, 70, 100))
    match random.choice(
        ("down", "slow", "lagging", "lagging", "empty", "short", "lost", "dropped", "rates")
    ):
        case "lost":
            return Drawn(at, "lose_answers", "rpc", {"times": random.randrange(1, 4)})
        case "dropped":
            return Drawn(at, "drop_waiting", "rpc")
        case "rates":
            return Drawn(at, "fail_rates", "rpc", {"calls": random.randrange(1, 6)})
        case kind:
            detail: dict[str, int | str] = {"kind": kind, "minutes": minutes, "share": share}
            if kind == "lagging":
                detail["blocks"] = random.randrange(1, 9)
            return Drawn(at, "nodes", "rpc", detail)


def _reorg(random: Random, at: int, _: int) -> Drawn:
    detail: dict[str, int | str] = {
        "depth": random.choice((1, 1, 2, 2, 3, 4)),
        "drop": random.choice((0, 0, 1, 2)),
    }
    if chance(random, 45):
        detail["stale_minutes"] = random.choice((5, 20, 90))
        detail["share"] = random.choice((10, 30, 60))
    return Drawn(at, "reorg", "reorg", detail)


def _queue(random: Random, at: int, _: int) -> Drawn:
    match random.choice(("twice", "late", "lost", "shuffle")):
        case "late":
            return Drawn(
                at, "queue", "queue", {"kind": "late", "seconds": random.choice((3, 22, 70))}
            )
        case "shuffle":
            return Drawn(at, "shuffle", "queue")
        case kind:
            return Drawn(at, "queue", "queue", {"kind": kind, "times": random.randrange(1, 4)})


def _webhooks(random: Random, at: int, merchants: int) -> Drawn:
    kind = random.choice(("500", "500", "410", "302", "timeout", "slow", "deaf"))
    minutes = random.choice((2, 20, 240))
    detail: dict[str, int | str] = {
        "merchant": random.randrange(merchants), "kind": kind, "minutes": minutes
    }  # fmt: skip
    return Drawn(at, "server", "webhooks", detail)


def _storage(random: Random, at: int, _: int) -> Drawn:
    kind = random.choice(("fail", "lose"))
    return Drawn(at, "storage", "storage", {"kind": kind, "times": random.randrange(1, 3)})
