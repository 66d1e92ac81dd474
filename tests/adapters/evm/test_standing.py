"""Which providers serve, as operators are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.evm.health import REST_SECONDS
from adapters.evm.providers import Providers, WrongChain
from adapters.evm.settings import EvmChain
from adapters.evm.standing import EvmProviderHealth
from domain.platform.model import Provider, Serving
from tests.builders import CONTRACT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TIME = [100.0]


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    first, *more = (f"https://user:key-{n}@node.example.org/secret" for n in range(3))
    chain = EvmChain(
        chain_id=5, rpc_url=first, more_rpc_urls=tuple(more), tokens=(), escrow=CONTRACT
    )
    found = Providers(chain, clock=lambda: TIME[0])
    yield found
    await found.aclose()


async def test_each_provider_is_told_with_its_state(providers: Providers) -> None:
    health = EvmProviderHealth(providers, clock=lambda: TIME[0])
    names = [f"{n}:example.org" for n in (1, 2, 3)]
    assert health.standing() == [Provider(name, Serving.SERVING) for name in names]

    first, second, third = providers.all
    first.health.rest()
    second.health.lags = True
    third.struck_off = WrongChain(5, 6, third.name)
    states = [Serving.RESTING, Serving.LAGGING, Serving.STRUCK_OFF]
    assert [it.serving for it in health.standing()] == states

    TIME[0] += REST_SECONDS
    assert health.standing()[0].serving is Serving.SERVING
