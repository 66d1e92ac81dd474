"""What customers will pay to their own addresses in a day: at any time, and any amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.simulation.drawn import DAY, MINUTE, Drawn, chance

if TYPE_CHECKING:
    from random import Random

CUSTOMERS = 3
"""How many customers each merchant has on a chain."""
LIMIT = 10**6
"""From which amount of the token on a deposit is credited, smallest unit."""
RUNGS = (1_200 * 10**6, 4_000 * 10**6)
"""From which amounts of the first chain's token on more evidence may be wanted, smallest unit."""
ASSETS = (("token", 80), ("other", 14), ("unlisted", 6))
"""What customers pay in, and how many of a hundred do."""


def draw(random: Random, merchant: int) -> list[Drawn]:
    """Draw one merchant's day with customers who have addresses of their own."""
    drawn: list[Drawn] = []
    for customer in range(CUSTOMERS):
        if chance(random, 60):
            detail: dict[str, int | str] = {
                **_who(random, merchant, customer),
                "repeats": random.choice((0, 0, 1, 2)),
            }
            drawn.append(Drawn(random.randrange(DAY // 3), "open_address", "", detail))
    times = random.choice((1, 2, 2, 3, 4))
    return [*drawn, *(_deposit(random, merchant) for _ in range(times))]


def draw_mischief(random: Random, merchants: int) -> list[Drawn]:
    """Draw the reorganizations of a day that reach below what the chain calls final.

    Where no large amount waits there, there is none.
    """
    times = random.randrange(2 + merchants // 3)
    return [
        Drawn(random.randrange(DAY), "deep_reorg", "reorg", {"drop": random.choice((0, 0, 1))})
        for _ in range(times)
    ]


def _deposit(random: Random, merchant: int) -> Drawn:
    """Draw a payment: its parts come at once or some minutes apart."""
    assets = [asset for asset, _ in ASSETS]
    parts = random.choice((1, 1, 1, 2, 2, 3))
    detail: dict[str, int | str] = {
        **_who(random, merchant, random.randrange(CUSTOMERS)),
        "amount": _amount(random, parts),
        "asset": random.choices(assets, [share for _, share in ASSETS])[0],
        "parts": parts,
        "way": random.choice(("apart", "together", "slowly", "to two")),
        "minutes": random.choice((4, 15, 60)),
    }
    return Drawn(random.randrange(DAY - 60 * MINUTE), "deposit", "", detail)


def _who(random: Random, merchant: int, customer: int) -> dict[str, int | str]:
    rail = random.choice(("evm", "evm", "ton"))
    return {"merchant": merchant, "customer": customer, "rail": rail}


def _amount(random: Random, parts: int) -> int:
    """Draw what each part comes to, smallest unit."""
    match random.choices(("usual", "limit", "dust", "rung", "near"), (38, 8, 8, 23, 23))[0]:
        case "usual":
            return random.randrange(LIMIT, 400 * LIMIT)
        case "limit":
            return LIMIT + random.choice((-1, 0, 1))
        case "dust":
            return random.randrange(1, LIMIT)
        case "rung":
            return random.choice(RUNGS) // parts + random.choice((-1, 0, 1))
        case _:
            return random.choice(RUNGS) * random.randrange(60, 180) // (100 * parts)
