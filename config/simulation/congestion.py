"""When the first chain's blocks are dear, and what of the gateway's own is called off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.simulation.drawn import DAY, Drawn, between, chance

if TYPE_CHECKING:
    from random import Random


def draw(random: Random, merchants: int) -> list[Drawn]:
    """Draw a day's congestion, and what operators call off meanwhile or otherwise."""
    drawn: list[Drawn] = []
    if chance(random, 45):
        _congestion(random, drawn)
    for _ in range(random.randrange(2 + merchants // 3)):
        detail = {"which": random.randrange(1_000)}
        drawn.append(Drawn(random.randrange(DAY), "call_off", "", detail))
    if chance(random, 40):
        drawn.append(Drawn(random.randrange(DAY), "revive", "fees"))
    return drawn


def _congestion(random: Random, drawn: list[Drawn]) -> None:
    """Draw when the network asks for more, several times perhaps, and for nothing again."""
    at = random.randrange(DAY)
    length = between(random, 30, 600)
    for _ in range(random.choice((1, 1, 2, 3, 5))):
        rise = at + random.randrange(length)
        drawn.append(Drawn(rise, "stick", "fees"))
        if chance(random, 40):
            called_off = {"which": random.randrange(1_000)}
            after = rise + between(random, 5, 90)
            drawn.append(Drawn(after, "call_off", "", called_off))
    drawn.append(Drawn(at + length, "ease", "fees"))
