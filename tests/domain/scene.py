"""Who and what there is in the world of use cases: wallets, tokens, places, prices."""

from __future__ import annotations

from adapters.memory.escrow_contract import InMemoryEscrowContracts
from domain.chains.places import Places
from domain.shared.money import Asset, AssetId, Assets
from tests.builders import CHAIN, COIN, CONTRACT, USD, USDT, address_of

HOT, TREASURY, ARBITER = address_of("hot"), address_of("treasury"), address_of("arbiter")
PAYER, STRANGER, TILL = address_of("payer"), address_of("stranger"), address_of("till")
"""Who pays, who has nothing to do with us, and where the merchant is paid out."""

OTHER_TOKEN = Asset(AssetId(f"{CHAIN}/erc20:0x{'6' * 40}"), "EURX", decimals=6)
"""A token on the list that no intent here is due in."""

DUE = 25 * 10**18
"""What an intent of 25.00 USD costs at a rate of 1, in the token's smallest unit."""
FEE = DUE // 100
NET = DUE - FEE
GAS = 10**9
"""The native coin that the hot wallet begins with, smallest unit."""

PLACES = Places(
    chain=CHAIN,
    native=COIN.id,
    escrow_contract=CONTRACT,
    hot_wallet=HOT,
    treasury=TREASURY,
    first_block=3,
)
ASSETS = Assets.of([USD, USDT, COIN, OTHER_TOKEN])
CONTRACTS = InMemoryEscrowContracts()

SWEEP_FROM = 5 * 10**18
"""From which holding on the test token is swept, smallest unit."""

ROUNDS_MAX = 1_000
"""How many rounds a test waits for, and how many events it looks at, at most."""
