"""Settings of payout destinations, as docs/operations/destinations.md has them, and the seed's."""

from __future__ import annotations

import re
import tomllib
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.memory.clock import FakeClock
from config.bootstrap import worker
from config.jobs import handlers
from config.seeding import devnet_destinations
from config.settings import WrongSettings, structure
from domain.destinations.model import ChangeState, Party
from domain.merchants.model import PayoutTerms
from domain.shared.actors import ActorKind
from tests.builders import CHAIN, MERCHANT, a_merchant, address_of

if TYPE_CHECKING:
    from config.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "destinations.md"


def told(raw: dict[str, Any], **settings: int) -> Settings:
    return structure(raw | {"payout_destinations": settings})


def test_the_pages_settings_are_the_defaults(raw: dict[str, Any]) -> None:
    [block] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    settings = structure(raw | tomllib.loads(block))
    assert settings.payout_destinations == structure(raw).payout_destinations
    assert settings.worker == structure(raw).worker


def test_test_money_need_not_wait(raw: dict[str, Any]) -> None:
    cool_downs = told(raw, test_cool_down_seconds=0, cool_down_seconds=60).payout_destinations
    assert cool_downs.cool_downs.test == timedelta(0)
    assert cool_downs.cool_downs.live == timedelta(minutes=1)


@pytest.mark.parametrize("wrong", [{"cool_down_seconds": 0}, {"test_cool_down_seconds": -1}])
def test_live_money_always_waits(raw: dict[str, Any], wrong: dict[str, int]) -> None:
    with pytest.raises(WrongSettings, match=r"settings\.payout_destinations"):
        told(raw, **wrong)


@pytest.mark.parametrize(
    ("changes", "is_paid"),
    [({}, True), ({"id": "eip155:1"}, False), ({"mode": "live"}, False)],
)
def test_a_demo_merchant_is_paid_on_devnets_alone(
    raw: dict[str, Any], changes: dict[str, str], *, is_paid: bool
) -> None:
    [chain] = raw["chains"]
    settings = structure({**raw, "chains": [{**chain, **changes}]})
    assert (list(devnet_destinations(settings)) == [chain["id"]]) is is_paid


async def test_a_job_lets_count_what_has_cooled_down(raw: dict[str, Any]) -> None:
    services = worker(structure(raw | {"deployment": "testing"}))
    terms = PayoutTerms(destinations={CHAIN: address_of("till")})
    async with AsyncExitStack() as stack:
        for resource in services.resources:
            await stack.enter_async_context(resource)
        async with services.begin() as work:
            await work.merchants.add(attrs.evolve(a_merchant(), payouts=terms))
            await work.commit()
        change = await services.destinations.request(
            owner=MERCHANT,
            chain=CHAIN,
            address=address_of("new till"),
            by=Party(ActorKind.OPERATOR, "olive"),
        )
        await services.destinations.approve(
            change_id=change.id, owner=None, by=Party(ActorKind.OPERATOR, "paul")
        )
        assert isinstance(services.clock, FakeClock)
        services.clock.advance(days=1)

        await handlers(services)["apply_destinations"]({})

        after = await services.destinations.change(change_id=change.id, owner=MERCHANT)
    assert after.state is ChangeState.EFFECTIVE
