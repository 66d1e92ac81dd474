"""Which processes the database shows one merchant's rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.postgres.storage import API_ROLE, PostgresStorage
from config import bootstrap
from config.settings import structure

if TYPE_CHECKING:
    from config.settings import Settings


@pytest.fixture
def settings(raw: dict[str, Any]) -> Settings:
    return structure(raw)


def role_of(service: object) -> str | None:
    """Return the role as which a service's statements run."""
    storage = service.begin.__self__  # type: ignore[attr-defined] # Every service has one.
    assert isinstance(storage, PostgresStorage)
    return storage.settings.role


def test_the_api_runs_as_a_role_and_operators_as_the_owner(settings: Settings) -> None:
    api, operator = bootstrap.api(settings), bootstrap.operator(settings)

    confined = [api.intents, api.merchants, api.webhooks, api.usage, api.limits, api.books]
    assert {role_of(service) for service in confined} == {API_ROLE}
    assert role_of(operator.merchants) is None
    assert role_of(bootstrap.container(settings).intents()) is None


def test_it_can_be_switched_off(settings: Settings) -> None:
    together = attrs.evolve(settings.database, keep_merchants_apart=False)

    api = bootstrap.api(attrs.evolve(settings, database=together))

    assert role_of(api.intents) is None


def test_the_role_is_a_setting_of_the_session(settings: Settings) -> None:
    api = bootstrap.api(settings)
    storage = api.intents.begin.__self__  # type: ignore[attr-defined] # As above.
    assert f"-c role={API_ROLE}" in storage.settings.server_options()
