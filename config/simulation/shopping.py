"""What merchants and payers will do in a day: who asks, who pays, how much, and how late."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from config.simulation.drawn import DAY, MINUTE, Drawn, between, chance

if TYPE_CHECKING:
    from random import Random

PAY_WITHIN = 120
"""How long payers have, in minutes."""
ARBITER_DAYS = 30
"""How long the arbiter has before the payer gets a disputed payment back."""


def draw(random: Random, merchant: int) -> list[Drawn]:
    """Draw one merchant's day."""
    drawn: list[Drawn] = []
    for _ in range(random.randrange(4, 9)):
        _payment(random, merchant, drawn)
    for target in ("hot", "contract", "deposit", "stranger", "altered"):
        if chance(random, 25):
            detail = {"to": target, "amount": random.randrange(1, 10**7), "merchant": merchant}
            drawn.append(Drawn(random.randrange(DAY), "dust", "", detail))
    if chance(random, 20):
        who = random.choice(("hot", "treasury", "payer"))
        drawn.append(
            Drawn(random.randrange(DAY), "withdraw", "", {"who": who, "merchant": merchant})
        )
    if chance(random, 3):
        drawn.append(Drawn(random.randrange(DAY), "reject", "", {"merchant": merchant}))
    if chance(random, 15):
        drawn.append(Drawn(random.randrange(DAY), "settle", "", {}))
    return drawn


def _payment(random: Random, merchant: int, drawn: list[Drawn]) -> None:
    """Draw one intent and what becomes of it."""
    at, place = random.randrange(DAY), len(drawn)
    escrow = chance(random, 55)
    detail: dict[str, int | str] = {
        "merchant": merchant,
        "method": "escrow" if escrow else "address",
        "cents": random.randrange(50, 60_000),
        "asset": "coin" if escrow and chance(random, 10) else "token",
        "repeats": random.choice((0, 0, 0, 1, 2)),
    }
    drawn.append(Drawn(at, "create", "", detail))
    follow = _escrow if escrow else address
    for after, verb, more in follow(random):
        drawn.append(Drawn(at + after, verb, "", more, place))


Acts: TypeAlias = "list[tuple[int, str, dict[str, int | str]]]"
"""How long after its creation, what, and the rest."""

WAYS = (
    ("exactly", 38),
    ("short", 12),
    ("over", 10),
    ("late", 8),
    ("otherwise", 8),
    ("in halves", 8),
    ("at the deadline", 10),
    ("not", 6),
)
"""In which way payers pay to an address, and how many of a hundred do."""


def _pay(after: int, percent: int, asset: str = "token") -> tuple[int, str, dict[str, int | str]]:
    return after, "pay", {"percent": percent, "asset": asset}


def _payments(random: Random) -> Acts:
    """Draw what is paid to an address."""
    soon = between(random, 1, PAY_WITHIN - 5)
    acts: Acts = []
    ways = [way for way, _ in WAYS]
    match random.choices(ways, [share for _, share in WAYS])[0]:
        case "exactly":
            acts = [_pay(soon, 100)]
        case "short":
            acts = [_pay(soon, random.randrange(30, 100))]
            if chance(random, 50):
                acts.append(_pay(soon + between(random, 5, 180), random.randrange(10, 100)))
        case "over":
            acts = [_pay(soon, random.randrange(101, 180))]
        case "late":
            after = between(random, PAY_WITHIN + 5, 6 * 60)
            acts = [_pay(after, random.randrange(50, 130))]
        case "otherwise":
            acts = [_pay(soon, random.randrange(1, 100), "other")]
            if chance(random, 60):
                acts.append(_pay(soon + between(random, 1, 60), 100))
        case "in halves":
            acts = [_pay(soon, 50), _pay(soon + between(random, 1, 40), 50)]
        case "at the deadline":
            # When it is being decided that nobody has paid.
            after = PAY_WITHIN * MINUTE + between(random, -20, 30)
            acts = [_pay(after, random.choice((60, 100, 100)))]
    return acts


def address(random: Random) -> Acts:
    """Draw what becomes of an intent with an address or a memo of its own."""
    acts = _payments(random)
    if chance(random, 12):
        acts.append((between(random, 1, 180), "cancel", {}))
    if chance(random, 30):
        acts.append((between(random, 60, 600), "accept", {}))
    if chance(random, 8):
        acts.append(_pay(between(random, 200, 900), random.randrange(1, 60)))
        acts.append((between(random, 900, 1200), "accept", {}))
    return acts


def _escrow(random: Random) -> Acts:
    """Draw what becomes of an intent that is paid into the contract."""
    acts: Acts = []
    if chance(random, 7):
        acts.append((between(random, 1, 120), "cancel", {}))
    if chance(random, 10):
        return acts
    paid = between(random, 1, PAY_WITHIN + 3)
    acts.append((paid, "pay_escrow", {}))
    held = paid + between(random, 50, 300)
    if chance(random, 45):
        acts.append((held, "release", {}))
    if chance(random, 15):
        acts.append((held + between(random, -40, 40), "refund", {}))
    if chance(random, 15):
        acts.append((held + between(random, -40, 40), "release_as_payer", {}))
    if chance(random, 15):
        acts.append((held + between(random, -40, 60), "dispute", {}))
        if chance(random, 85):
            acts.append((held + between(random, 70, 600), "resolve", _split(random)))
        else:
            late = held + ARBITER_DAYS * DAY + between(random, 61, 600)
            acts.append((late, "claim_unresolved", {}))
    if chance(random, 6):
        acts.append((between(random, 38 * 60, 44 * 60), "reclaim", {}))
    return acts


def _split(random: Random) -> dict[str, int | str]:
    return {"percent": random.choice((0, 1, 33, 50, 100))}
