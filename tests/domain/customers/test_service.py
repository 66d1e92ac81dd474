"""Addresses that stay: one for each customer, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.customers.service import UnknownChain
from domain.intents.issuing import ChainOfOtherMode, MethodNotOffered
from domain.intents.model import DepositAddress, Method
from domain.shared.modes import Mode
from domain.shared.money import ChainId
from ports.unit_of_work import NotFound
from tests.builders import CHAIN, OTHER_CHAIN
from tests.domain.depositing import CUSTOMER, address_of_customer
from tests.domain.scene import PLACES
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from domain.customers.service import CustomerService
    from tests.domain.world import World

LIVE = ChainId("eip155:1")


def on_two_chains(world: World, *, methods: frozenset[Method] | None = None) -> CustomerService:
    """Return the service of a gateway that is on another chain of its mode too, and a live one."""
    other = attrs.evolve(PLACES, chain=OTHER_CHAIN)
    if methods is not None:
        other = attrs.evolve(other, methods=methods)
    live = attrs.evolve(PLACES, chain=LIVE, mode=Mode.LIVE)
    service = world.services.customers
    [addresses] = service.addresses.values()
    return attrs.evolve(
        service,
        places={CHAIN: PLACES, OTHER_CHAIN: other, LIVE: live},
        addresses=dict.fromkeys((CHAIN, OTHER_CHAIN, LIVE), addresses),
    )


async def test_the_same_customer_has_the_same_address_for_good(world: World) -> None:
    first = await address_of_customer(world)
    world.clock.advance(hours=1000)
    again = await world.services.customers.address(
        merchant=world.merchant, customer=CUSTOMER, chain=CHAIN, metadata={"other": "words"}
    )
    assert again == first
    assert first.metadata == {}


async def test_nobody_else_has_it(world: World) -> None:
    other = await another_merchant(world)
    intent = await world.intent()
    assert isinstance(intent.pay_to, DepositAddress)
    given = [
        await address_of_customer(world),
        await address_of_customer(world, "user-2"),
        await address_of_customer(world, merchant=other),
    ]
    assert len({intent.pay_to.address, *(it.address for it in given)}) == 4
    assert len({intent.pay_to.index, *(it.index for it in given)}) == 4


async def test_all_evm_chains_of_a_mode_share_it(world: World) -> None:
    service = on_two_chains(world)
    first = await service.address(merchant=world.merchant, customer=CUSTOMER, chain=CHAIN)
    other = await service.address(merchant=world.merchant, customer=CUSTOMER, chain=OTHER_CHAIN)

    assert other == first
    assert service.chains_of(first) == sorted([CHAIN, OTHER_CHAIN])


async def test_what_nobody_can_have_is_refused(world: World) -> None:
    service = on_two_chains(world, methods=frozenset({Method.ESCROW}))
    refusals: list[tuple[ChainId, UnknownChain | ChainOfOtherMode | MethodNotOffered]] = [
        (ChainId("eip155:77"), UnknownChain(ChainId("eip155:77"))),
        (LIVE, ChainOfOtherMode(LIVE, Mode.TEST)),
        (OTHER_CHAIN, MethodNotOffered(Method.ADDRESS, OTHER_CHAIN)),
    ]
    for chain, refusal in refusals:
        with pytest.raises(type(refusal)) as refused:
            await service.address(merchant=world.merchant, customer=CUSTOMER, chain=chain)
        assert refused.value.args == refusal.args
    assert list(world.around.store.tables.customer_addresses) == []
    given = await service.address(merchant=world.merchant, customer=CUSTOMER, chain=CHAIN)
    assert service.chains_of(given) == [CHAIN]


async def test_another_merchant_does_not_find_it(world: World) -> None:
    other = await another_merchant(world)
    given = await address_of_customer(world)
    with pytest.raises(NotFound):
        await world.services.customers.get(owner=other.id, address_id=given.id)
    assert await world.services.customers.page(owner=other.id, limit=9) == []
    assert await world.services.customers.page(owner=world.merchant.id, limit=9) == [given]
