"""What the simulated gateway is told: its settings, and the names of what they speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.settings import structure
from config.simulation.rails import RAILS, TON_COIN, TON_OTHER, TON_TOKEN
from config.simulation.saving import LIMIT, RUNGS
from domain.shared.money import AssetId, ChainId
from domain.stars.model import STARS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from config.settings import Settings

CHAIN = ChainId("eip155:31337")
TOKEN = AssetId(f"{CHAIN}/erc20:0x{'7' * 40}")
OTHER_TOKEN = AssetId(f"{CHAIN}/erc20:0x{'6' * 40}")
UNLISTED = AssetId(f"{CHAIN}/erc20:0x{'5' * 40}")
"""A token that the gateway has been told nothing of."""
COIN = AssetId(f"{CHAIN}/slip44:60")
USD = AssetId("iso4217:USD")
HOT, CONTRACT, TREASURY = ("0x" + digit * 40 for digit in "1e2")
STRANGER = "0x" + "5" * 40

DECIMALS = 6
"""Of the tokens."""
DEPOSIT_FROM = str(LIMIT // 10**DECIMALS)
"""From how much of the tokens that are paid in on a customer's deposit is credited."""


def _rung(place: int, **evidence: int) -> Mapping[str, Any]:
    at_least = str(RUNGS[place] // 10**DECIMALS)
    return {"asset": TOKEN, "at_least": at_least, **evidence}


LADDERS: Sequence[Sequence[Mapping[str, Any]]] = (
    (),
    (_rung(0, confirmations=7),),
    (_rung(0, confirmations=6), _rung(1, age_seconds=3 * 3600)),
    (_rung(0, confirmations=5, quorum=2), _rung(1, confirmations=12)),
)
"""What a deployment may want for large amounts on the first chain."""

MORE_ASSETS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "ton": (
        {
            "id": TON_TOKEN,
            "symbol": "USDT",
            "decimals": DECIMALS,
            "peg": USD,
            "rate": "1",
            "deposit_from": DEPOSIT_FROM,
        },
        {"id": TON_OTHER, "symbol": "OTHER", "decimals": 6, "rate": "2"},
        {"id": TON_COIN, "symbol": "GRAM", "decimals": 9, "rate": "5"},
    ),
    "stars": ({"id": STARS, "symbol": "XTR", "decimals": 0, "rate": "0.013"},),
}
"""What can be paid in on the rails beside the first chain, and what it is worth in USD."""

STARS_SETTINGS: Mapping[str, Any] = {
    "bot_token_file": "simulated",
    "webhook_secret_file": "simulated",
    "test_environment": True,
}


WORKER: Mapping[str, int] = {
    "watch_every_seconds": 300,
    "hand_over_every_seconds": 300,
    "deliver_every_seconds": 900,
    "expire_every_seconds": 900,
    "release_every_seconds": 1800,
    "settle_every_seconds": 4 * 3600,
    "sweep_every_seconds": 2 * 3600,
    "reconcile_every_seconds": 4 * 3600,
    "rebalance_wallets_every_seconds": 4 * 3600,
    "check_tanks_every_seconds": 4 * 3600,
    "seal_every_seconds": 2 * 3600,
    "keep_rates_every_seconds": 4 * 3600,
    "expire_holds_every_seconds": 4 * 3600,
    "prune_every_seconds": 6 * 3600,
    "refund_stars_every_seconds": 3600,
    "reconcile_stars_every_seconds": 3600,
    "mature_stars_every_seconds": 6 * 3600,
    "look_at_chains_every_seconds": 6 * 3600,
    "look_at_queues_every_seconds": 6 * 3600,
}
"""How often jobs come back, which is seldom."""


def settings(
    rails: Collection[str] = ("evm",), ladder: Sequence[Mapping[str, Any]] = ()
) -> Settings:
    """Return settings for slow chains and sparse schedules: virtual days cost real time.

    The second chain is not among them: it is like none that there are settings for.
    """
    more = [it for rail in RAILS if rail in rails for it in MORE_ASSETS.get(rail, ())]
    return structure(
        {
            "deployment": "testing",
            "database": {"url": "postgresql://nobody@127.0.0.1/nowhere"},
            "http": {"cursor_key": "simulated" * 4},
            "keys": {"xpub": "simulated", "deposit_key_file": "simulated"},
            "assets": [
                {"id": USD, "symbol": "USD", "decimals": 2},
                {
                    "id": TOKEN,
                    "symbol": "USDT",
                    "decimals": DECIMALS,
                    "peg": USD,
                    "deposit_from": DEPOSIT_FROM,
                },
                {"id": OTHER_TOKEN, "symbol": "EURX", "decimals": 6},
                {"id": COIN, "symbol": "ETH", "decimals": 18},
                *({name: it[name] for name in it if name != "rate"} for it in more),
            ],
            **({"stars": STARS_SETTINGS} if "stars" in rails else {}),
            "chains": [
                {
                    "id": CHAIN,
                    "rpc_url": "http://127.0.0.1:1",
                    "escrow_contract": CONTRACT,
                    "hot_wallet": HOT,
                    "treasury": TREASURY,
                    "first_block": 1,
                    "more_rpc_urls": ["http://127.0.0.1:2"],
                    "large_amounts": ladder,
                }
            ],
            "rates": [
                {"source": source, "asset": asset, "currency": USD, "rate": rate}
                for source in ("one", "two", "three")
                for asset, rate in (
                    (TOKEN, "1"),
                    (COIN, "2500"),
                    *((it["id"], it["rate"]) for it in more),
                )
            ],
            "intents": {
                "pay_within_seconds": 2 * 3600,
                "auto_release_after_seconds": 12 * 3600,
                "refund_window_seconds": 24 * 3600,
            },
            "worker": WORKER,
        }
    )
