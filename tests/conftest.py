"""The rules under which all tests run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator

# Without this a failed assertion of a shared suite would show nothing but its line.
pytest.register_assert_rewrite(
    "tests.builders",
    "tests.concurrency.gateway",
    "tests.contracts",
    "tests.domain.world",
    "tests.entrypoints.http",
    "tests.support",
)

pytest_plugins = ["tests.support.postgres"]

SKIPS_ALLOWED: frozenset[str] = frozenset()
"""The tests that CI may skip, by their full names."""

LONG_VARIABLE = "SWITCHYARD_TEST_LONG_ON"
"""Names the one Python, such as ``3.11``, on which the long suites run too; unset: on all."""

LONG_SUITES = (
    "benchmarks/*",
    "concurrency/*",
    "end_to_end/*",
    "entrypoints/cli/test_outages.py",
    "entrypoints/worker/*",
    "simulation/*",
)
"""Whole programs, many processes, long histories: nothing in them depends on the Python."""

_long_on = os.environ.get(LONG_VARIABLE, "")
_elsewhere = bool(_long_on) and _long_on != f"{sys.version_info.major}.{sys.version_info.minor}"
collect_ignore_glob = [*LONG_SUITES] if _elsewhere else []

# A deadline would fail tests on a busy machine; what CI finds, everybody can find again.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let tests connect to this machine and to nothing else (options of pytest-socket)."""
    config.option.allow_hosts = "127.0.0.1,::1"
    config.option.allow_unix_socket = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what CI would skip."""
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail what CI would skip, whole modules too."""
    report = yield
    _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected = hasattr(report, "wasxfail") or report.nodeid in SKIPS_ALLOWED
    if os.environ.get("CI") and report.skipped and not expected:
        report.outcome = "failed"
        report.longrepr = f"nothing is skipped in CI: {report.longreprtext}"
