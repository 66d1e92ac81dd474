"""One address on two chains of a mode: what is paid on either is the same customer's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.chain import InMemoryChain
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from domain.ledger.accounts import available
from domain.shared.modes import Mode
from domain.shared.money import Asset, AssetId, Assets, Money
from tests.builders import COIN, OTHER_CHAIN, USD, USDT, address_of
from tests.domain.depositing import address_of_customer, deposits_of, pay_customer
from tests.domain.scene import ARBITER, CONTRACTS, DUE, HOT, NET, PLACES, TREASURY
from tests.domain.services import Services, compose

if TYPE_CHECKING:
    from tests.domain.world import World

TOKEN = Asset(AssetId(f"{OTHER_CHAIN}/erc20:0x{'7' * 40}"), "USDX", decimals=18)
OTHER_COIN = Asset(AssetId(f"{OTHER_CHAIN}/slip44:60"), "COIN", decimals=18)
ASSETS = Assets.of([USD, USDT, COIN, TOKEN, OTHER_COIN])


@attrs.frozen
class SecondChain:
    """Another chain, and the gateway's services there: over the same storage."""

    chain: InMemoryChain
    services: Services

    @classmethod
    def beside(cls, world: World, *, mode: Mode = Mode.TEST) -> SecondChain:
        chain = InMemoryChain(
            chain=OTHER_CHAIN,
            clock=world.clock,
            contracts=CONTRACTS,
            native=OTHER_COIN.id,
            assets=[TOKEN.id],
            contract=address_of("other contract"),
            sender=HOT,
            arbiter=ARBITER,
            treasury=TREASURY,
            deposits=InMemoryDepositAddresses(),
        )
        chain.mine(3)
        places = attrs.evolve(
            PLACES,
            chain=OTHER_CHAIN,
            native=OTHER_COIN.id,
            escrow_contract=address_of("other contract"),
            mode=mode,
        )
        around = attrs.evolve(world.around, chain=chain)
        return cls(chain, compose(around, places=places, assets=ASSETS))

    async def settle_down(self) -> None:
        self.chain.mine()
        self.chain.finalize()
        while (await self.services.watcher.watch(chain=OTHER_CHAIN)).behind:
            pass


async def test_what_is_paid_on_either_chain_is_found(world: World) -> None:
    other = SecondChain.beside(world)
    address = await address_of_customer(world)
    pay_customer(world, address, DUE)
    other.chain.fund(address.address, Money(DUE, TOKEN.id))
    await other.settle_down()
    await world.settle_down()

    assert [(it.key.chain, it.money) for it in await deposits_of(world)] == [
        (OTHER_CHAIN, Money(DUE, TOKEN.id)),
        (PLACES.chain, Money(DUE, USDT.id)),
    ]
    mine = available(world.merchant.id)
    assert [await world.booked(mine, it) for it in (USDT.id, TOKEN.id)] == [NET, NET]
    await world.must_be_right()
    compared = await other.services.books.compare(chain=OTHER_CHAIN)
    assert [spot for spot in compared if not spot.agree] == []


async def test_of_real_money_nothing_is_a_test_account_s(world: World) -> None:
    live = SecondChain.beside(world, mode=Mode.LIVE)
    address = await address_of_customer(world)
    live.chain.fund(address.address, Money(DUE, TOKEN.id))
    await live.settle_down()

    assert await deposits_of(world) == []
    compared = await live.services.books.compare(chain=OTHER_CHAIN)
    assert [spot for spot in compared if not spot.agree] == []
