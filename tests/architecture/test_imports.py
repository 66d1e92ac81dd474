"""Who may import what: the contracts of pyproject.toml, and that they name every dependency."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
import tomllib
from functools import partial
from typing import TYPE_CHECKING

import grimp
import pytest
from importlinter.cli import lint_imports

from tests.architecture.tree import ROOMS, ROOT, distribution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {each["id"]: each for each in SETTINGS["tool"]["importlinter"]["contracts"]}


def _packages() -> dict[str, set[str]]:
    """Return what each installed distribution brings to be imported."""
    found: dict[str, set[str]] = {}
    for package, owners in importlib.metadata.packages_distributions().items():
        for owner in owners:
            found.setdefault(distribution(owner), set()).add(package)
    return found


DEPENDENCIES = tuple(distribution(line) for line in SETTINGS["project"]["dependencies"])
PACKAGES = _packages()


@pytest.fixture
def lint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Check contracts, without what the linter does to logging and to the path for good."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    known = logging.Logger.manager.loggerDict.values()
    enabled = [each for each in known if isinstance(each, logging.Logger) and not each.disabled]
    yield partial(lint_imports, no_cache=True, no_logo=True)
    for logger in enabled:
        logger.disabled = False


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_contract_is_kept(
    contract: str, lint: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    status = lint(config_filename=str(ROOT / "pyproject.toml"), limit_to_contracts=(contract,))
    assert status == 0, capsys.readouterr().out


def test_a_broken_contract_is_found(
    tmp_path: Path, lint: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(
        "[tool.importlinter]\n"
        'root_packages = ["domain", "ports"]\n'
        "[[tool.importlinter.contracts]]\n"
        'id = "upside_down"\n'
        'name = "Upside down"\n'
        'type = "layers"\n'
        'layers = ["ports", "domain"]\n'
    )
    assert lint(config_filename=str(file)) != 0
    assert "Upside down BROKEN" in capsys.readouterr().out


def test_the_contracts_cover_every_room() -> None:
    assert set(SETTINGS["tool"]["importlinter"]["root_packages"]) == set(ROOMS)
    assert CONTRACTS["rooms"]["layers"] == ["entrypoints", "config", "adapters", "domain", "ports"]


def test_every_dependency_is_kept_out_of_the_domain() -> None:
    forbidden = set(CONTRACTS["plain"]["forbidden_modules"])
    missing = [
        name
        for name in DEPENDENCIES
        if name != "attrs" and name in PACKAGES and not PACKAGES[name] & forbidden
    ]
    assert missing == []


def test_what_is_imported_is_declared_and_does_not_only_come_with_something_else() -> None:
    graph = grimp.build_graph(*ROOMS, include_external_packages=True, cache_dir=None)
    imported = {name for name in graph.modules if graph.is_module_squashed(name)}
    declared = {package for name in DEPENDENCIES for package in PACKAGES.get(name, ())}
    assert imported - declared - sys.stdlib_module_names == set()


def test_the_domain_and_the_ports_name_nothing_but_attrs_even_in_types() -> None:
    graph = grimp.build_graph("domain", "ports", include_external_packages=True, cache_dir=None)
    outside = {
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if imported.partition(".")[0] not in {*sys.stdlib_module_names, "domain", "ports"}
    }
    assert {imported for _, imported in outside} <= {"attrs"}
    assert not [importer for importer, _ in outside if importer.startswith("ports")]
