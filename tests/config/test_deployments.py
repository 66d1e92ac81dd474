"""Every deployment can be built, whole, and none builds more than its process may have."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from dependency_injector import providers
from dependency_injector.containers import DynamicContainer

from adapters.evm.signer import create_key_file
from adapters.keys.ed25519 import create_signing_key
from adapters.system.secret_files import KeyFileRefused
from config import bootstrap
from config.settings import DEPLOYMENTS, WrongSettings, structure
from domain.shared.money import ChainId
from ports.chain import ChainUnavailable
from ports.unit_of_work import StorageUnavailable
from tests.config.conftest import CHAIN, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from dependency_injector.containers import Container

    from config.containers.services import Services
    from config.settings import Settings


def adapters_of(services: Services) -> DynamicContainer:
    """Return the container that a deployment has put in the place of the adapters."""
    overriding = services.adapters.last_overriding
    assert overriding is not None
    adapters = overriding()
    assert isinstance(adapters, DynamicContainer)
    return adapters


def every(container: Container, *, but: Collection[str] = ()) -> list[object]:
    """Call every provider of a container; what others have to provide is no part of it."""
    foreign = (providers.Dependency, providers.DependenciesContainer, providers.Self)
    return [
        provider()
        for name, provider in container.providers.items()
        if name not in but and not isinstance(provider, foreign)
    ]


@pytest.fixture(params=DEPLOYMENTS)
def deployment(request: pytest.FixtureRequest, raw: dict[str, Any]) -> dict[str, Any]:
    return raw | {"deployment": request.param}


@pytest.fixture
def without_key(deployment: dict[str, Any]) -> Settings:
    return structure(deployment)


@pytest.fixture
def with_key(tables_with_key: dict[str, Any]) -> Settings:
    return structure(tables_with_key)


@pytest.fixture
def with_key_and_stars(
    tables_with_key: dict[str, Any], with_stars: Callable[[dict[str, Any]], dict[str, Any]]
) -> Settings:
    return structure(with_stars(tables_with_key))


@pytest.fixture
def tables_with_key(deployment: dict[str, Any], key_file: Path) -> dict[str, Any]:
    keys = deployment["keys"] | {"hot_wallet_file": str(key_file)}
    statement_key = key_file.with_name("statement_key")
    create_signing_key(statement_key)
    books = {"statement_key_file": str(statement_key)}
    return deployment | {"keys": keys, "books": books}


class TestEveryDeployment:
    async def test_every_provider_builds(self, with_key_and_stars: Settings) -> None:
        services = bootstrap.container(with_key_and_stars)
        adapters = adapters_of(services)
        assert set(services.adapters.providers) <= set(adapters.providers)
        assert None not in [*every(services), *every(adapters)]

    async def test_the_api_is_built_without_a_key(self, without_key: Settings) -> None:
        api = bootstrap.api(without_key)
        assert api.assets.find(TOKEN).decimals == 6
        assert api.cursor_key == b"c" * 32
        assert api.intents.begin == api.merchants.begin

    async def test_operators_are_served_without_a_key(self, without_key: Settings) -> None:
        assert bootstrap.operator(without_key).chains == (ChainId(CHAIN),)

    async def test_the_worker_is_built_with_one(self, with_key: Settings) -> None:
        worker = bootstrap.worker(with_key)
        assert worker.chains == (ChainId(CHAIN),)
        assert set(worker.sender.senders) == set(worker.watcher.readers) == {ChainId(CHAIN)}

    async def test_services_share_one_of_each_adapter(self, with_key: Settings) -> None:
        services = bootstrap.container(with_key)
        assert services.intents().clock is services.watcher().clock
        assert services.adapters.storage() is services.adapters.storage()
        assert services.watcher().readers is services.books().readers

    async def test_addresses_are_lower_case_inside(self, with_key: Settings) -> None:
        places = bootstrap.container(with_key).adapters.places()[ChainId(CHAIN)]
        assert places.escrow_contract == "0x" + "e" * 40

    async def test_two_containers_share_nothing(self, with_key: Settings) -> None:
        one, other = bootstrap.container(with_key), bootstrap.container(with_key)
        assert one.adapters.storage() is not other.adapters.storage()


class TestDemo:
    async def test_the_worker_is_not_built_without_a_key(self, raw: dict[str, Any]) -> None:
        with pytest.raises(WrongSettings, match=r"keys\.hot_wallet_file"):
            bootstrap.worker(structure(raw))

    async def test_the_sender_needs_the_key_and_nothing_else_does(
        self, raw: dict[str, Any]
    ) -> None:
        adapters = adapters_of(bootstrap.container(structure(raw)))
        with pytest.raises(WrongSettings):
            adapters.senders()
        assert None not in every(adapters, but={"senders", "stars_bot", "stars_webhook"})

    async def test_the_key_of_another_wallet_is_refused(
        self, raw: dict[str, Any], tmp_path: Path
    ) -> None:
        other = tmp_path / "other"
        create_key_file(other)
        raw["keys"]["hot_wallet_file"] = str(other)
        with pytest.raises(WrongSettings, match="is not the key of"):
            bootstrap.worker(structure(raw))

    def test_a_key_that_others_may_read_is_refused(
        self, raw: dict[str, Any], key_file: Path
    ) -> None:
        key_file.chmod(0o640)
        raw["keys"]["hot_wallet_file"] = str(key_file)
        with pytest.raises(KeyFileRefused):
            bootstrap.worker(structure(raw))

    async def test_nothing_is_connected_before_it_is_opened(self, raw: dict[str, Any]) -> None:
        services = bootstrap.container(structure(raw))
        reader = services.adapters.readers()[ChainId(CHAIN)]
        async with services.adapters.nodes()[ChainId(CHAIN)]:
            with pytest.raises(ChainUnavailable):
                await reader.head()


class TestTesting:
    async def test_it_begins_and_ends_as_any_other(self, raw: dict[str, Any]) -> None:
        worker = bootstrap.worker(structure(raw | {"deployment": "testing"}))
        async with AsyncExitStack() as resources:
            for resource in worker.resources:
                await resources.enter_async_context(resource)
            async with worker.begin() as work:
                assert await work.merchants.all() == []
        with pytest.raises(StorageUnavailable):
            worker.begin()


class TestStatements:
    def test_only_what_issues_them_needs_the_key(self, without_key: Settings) -> None:
        operator = bootstrap.operator(without_key)

        with pytest.raises(WrongSettings, match="statement_key_file"):
            operator.statements()

    def test_the_key_is_read_when_it_is_needed(self, with_key: Settings) -> None:
        file = with_key.books.statement_key_file
        assert file is not None
        operator = bootstrap.operator(with_key)
        assert len(operator.statements().signer.public_key) == 64

        file.chmod(0o644)
        with pytest.raises(KeyFileRefused):
            operator.statements()
