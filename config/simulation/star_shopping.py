"""What will be paid in Telegram Stars in a day, given back and taken back, and what goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.simulation.drawn import DAY, Drawn, between, chance
from config.simulation.shopping import PAY_WITHIN

if TYPE_CHECKING:
    from random import Random

    from config.simulation.shopping import Acts


def draw(random: Random, merchant: int) -> list[Drawn]:
    """Draw one merchant's day with Telegram."""
    drawn: list[Drawn] = []
    for _ in range(random.choice((0, 1, 1, 2))):
        at, place = random.randrange(DAY), len(drawn)
        detail: dict[str, int | str] = {
            "merchant": merchant,
            "method": "stars",
            "cents": random.randrange(50, 5_000),
            "asset": "stars",
            "repeats": random.choice((0, 0, 0, 1, 2)),
        }
        drawn.append(Drawn(at, "create", "", detail))
        for after, verb, more in _follow(random):
            drawn.append(Drawn(at + after, verb, "", more, place))
    if chance(random, 3):
        stars = {"stars": random.randrange(1, 500)}
        drawn.append(Drawn(random.randrange(DAY), "stray_charge", "", stars))
    return drawn


def draw_mischief(random: Random, merchants: int) -> list[Drawn]:
    """Draw what goes wrong with Telegram in a day."""
    times = random.randrange(2 + merchants)
    return [_mischief(random, random.randrange(DAY)) for _ in range(times)]


def _follow(random: Random) -> Acts:
    """Draw what becomes of an intent: who taps when, and who wants the Stars back."""
    acts: Acts = []
    tapped = between(random, 1, PAY_WITHIN - 5)
    match random.choices(("once", "twice", "late", "at the deadline", "not"), (55, 17, 10, 12, 6)):
        case ["once"]:
            acts = [_tap(random, tapped)]
        case ["twice"]:
            soon = tapped + random.choice((0, 700, 3_000, 20_000))
            acts = [_tap(random, tapped), _tap(random, soon)]
        case ["late"]:
            acts = [_tap(random, between(random, PAY_WITHIN + 1, 300))]
        case ["at the deadline"]:
            acts = [_tap(random, between(random, PAY_WITHIN - 2, PAY_WITHIN + 3))]
    if chance(random, 8):
        acts.append((between(random, 1, 150), "cancel", {}))
    if chance(random, 25):
        acts.append((between(random, 120, 900), "accept", {}))
    if chance(random, 22):
        asked = tapped + between(random, 1, 3_000)
        acts.append((asked, "refund_stars", {}))
        if chance(random, 50):
            acts.append((asked + random.choice((0, 900, 3_600_000)), "refund_stars", {}))
    if chance(random, 7):
        acts.append((tapped + between(random, 1, 3_000), "take_back", {}))
    return acts


def _tap(random: Random, after: int) -> tuple[int, str, dict[str, int | str]]:
    seconds = random.choice((0, 1, 5, 30, 55, 80))
    return after, "tap", {"payer": random.choice((1, 1, 2)), "seconds": seconds}


def _mischief(random: Random, at: int) -> Drawn:
    match random.choice(("lost", "lost", "twice", "late", "down", "unheard", "refuse")):
        case "down":
            minutes = random.choice((1, 10, 90))
            return Drawn(at, "telegram_down", "telegram", {"minutes": minutes})
        case "unheard":
            times = random.randrange(1, 4)
            return Drawn(at, "telegram_unheard", "telegram", {"times": times})
        case "refuse":
            return Drawn(at, "refuse_refunds", "telegram", {"hours": random.choice((1, 5))})
        case kind:
            seconds = random.choice((3, 90, 4_000)) if kind == "late" else 0
            detail = {"kind": kind, "seconds": seconds, "times": random.randrange(1, 5)}
            return Drawn(at, "updates", "telegram", detail)
