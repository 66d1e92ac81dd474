"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.architecture.tree import ROOMS, ROOT, distribution, files, modules, parsed, text

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = {
    *ROOMS,
    "tests",
    "docs",
    ".ci",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "pyproject.toml",
    "requirements.lock",
    "tox.ini",
}
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400
LONG_FILES = {
    "tests/adapters/evm/test_reader.py": "All that a node can say about blocks, wrong or right.",
    "tests/adapters/evm/test_sender.py": "One transaction's way from trial run to broadcast.",
    "tests/adapters/postgres/test_embedded.py": "One server's life, from initdb to kill -9.",
    "tests/contracts/chain.py": "Reader and sender are two sides of one chain.",
    "tests/domain/chains/test_crediting.py": "A table of cases: whose money, in which account.",
    "tests/domain/chains/test_watching.py": "One watcher, and everything that can get in its way.",
    "tests/domain/intents/test_service.py": "One service, every use case of it.",
}
"""Tests that are longer, and the one thing each is about. No code is."""
BANNED_WORDS = {
    "Base", "Data", "Helper", "Helpers", "Impl", "Info", "Manager", "Util", "Utils",
}  # fmt: skip
BANNED_FILES = {"base", "common", "helper", "helpers", "misc", "util", "utils"}

# Written so that no pattern finds itself here.
PLACES = {
    "a machine's path": r"/(?:home|root|Users|work|workspace)/\w|\b[A-Z]:\\\w",
    "a package index": r"py[p]i\.(?:org|python)|python[h]osted|registry\.(?:n[p]mjs|y[a]rnpkg)",
    "an index option": r"--(?:extra-)?index-u[r]l\b|--trusted-h[o]st|--find-l[i]nks",
    "a secret": r"-{5}BEGIN [A-Z ]*PRIVATE KE[Y]|\bAKI[A][0-9A-Z]{16}|\bgh[p]_\w{36}",
}
NO_PLACE = {
    "tox.ini": {"--no-emit-index-url"},
}
"""What looks like one of these and is not."""

CODE = modules(*ROOMS)
EVERYTHING = modules(*ROOMS, "tests")
EXACT = modules("domain", "ports")


def test_the_top_level_holds_what_the_house_has_room_for() -> None:
    assert {path.parts[0] for path in files()} <= TOP


def test_packages_are_folders_and_tests_are_no_package() -> None:
    inits = [path for path in EVERYTHING if path.name == "__init__.py"]
    assert [path for path in inits if text(path)] == []
    assert [path for path in inits if path.parts[0] == "tests"] == []
    folders = {parent for path in CODE for parent in path.parents if parent != Path()}
    assert sorted(folders - {path.parent for path in inits}) == []


def test_modules_say_what_they_are() -> None:
    silent = [path for path in _written(CODE) if not ast.get_docstring(parsed(path))]
    assert silent == []


def test_annotations_are_never_evaluated() -> None:
    line = "from __future__ import annotations"
    assert [path for path in _written(EVERYTHING) if line not in text(path).splitlines()] == []


def test_functions_fit_on_a_page() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in EVERYTHING
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


def test_files_hold_one_concept() -> None:
    long = {str(path) for path in EVERYTHING if text(path).count("\n") > FILE_LINES_MAX}
    assert long - set(LONG_FILES) == set()
    assert {name for name in LONG_FILES if name.split("/")[0] != "tests"} == set()


def test_names_are_words_of_the_field() -> None:
    classes = [
        f"{path}:{node.lineno} {node.name}"
        for path in EVERYTHING
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef)
        and BANNED_WORDS & set(re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", node.name))
    ]
    assert classes == []
    assert [path for path in EVERYTHING if path.stem in BANNED_FILES] == []


def test_no_float_comes_near_money() -> None:
    assert list(_floats()) == []


def test_the_domain_is_told_the_time() -> None:
    clocks = {"now", "utcnow", "today"}
    asked = [
        f"{path}:{node.lineno}"
        for path in EXACT
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and node.attr in clocks
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
    ]
    assert asked == []


def test_exceptions_from_the_linters_are_named_and_explained() -> None:
    loose = [
        f"{path}:{number}"
        for path in EVERYTHING
        for number, line in enumerate(text(path).splitlines(), start=1)
        if re.search(r"#\s*(?:noq[a]|type:\s*ignor[e])", line)
        and not re.search(r"# noq[a]: [A-Z]+[0-9]+(?:, [A-Z]+[0-9]+)* (?:- \S|\()", line)
        and not re.search(r"# type: ignor[e]\[[a-z, -]+\] +# \S", line)
    ]
    assert loose == []


def test_nothing_is_left_to_be_done() -> None:
    marks = re.compile(r"#.*\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b")
    assert [path for path in EVERYTHING if marks.search(text(path))] == []


@pytest.mark.parametrize("kind", PLACES)
def test_no_file_knows_a_machine_or_a_secret(kind: str) -> None:
    pattern = re.compile(PLACES[kind])
    found = [
        f"{path}: {match[0]}"
        for path in files()
        for match in pattern.finditer(_readable(path))
        if match[0] not in NO_PLACE.get(str(path), set())
    ]
    assert found == []


def test_the_lock_is_hashed_and_knows_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    entries = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", lock)).splitlines()
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    locked = {distribution(entry) for entry in entries}
    assert {distribution(line) for line in _requirements()} - locked == set()


def test_every_dependency_has_its_reason() -> None:
    page = text(Path("docs/decisions/0002-dependencies.md"))
    named = re.findall(r"(?m)^\| (?!distribution )([a-z0-9-]+) \|", page)
    assert sorted(named) == sorted(distribution(line) for line in _requirements())


def test_no_other_distribution_brings_a_package_of_our_names() -> None:
    owners = importlib.metadata.packages_distributions()
    assert {owner for room in ROOMS for owner in owners.get(room, [])} <= {"switchyard-gateway"}


def test_the_wheel_takes_the_five_packages_and_what_lies_in_them() -> None:
    hatch = tomllib.loads(text(Path("pyproject.toml")))["tool"]["hatch"]["build"]
    assert hatch["targets"]["wheel"] == {"packages": sorted(ROOMS, key=ROOMS.index)}
    assert set(hatch) == {"targets"}
    # Hatchling takes every file that git does not ignore; these are read at run time.
    names = {str(path) for path in files()}
    assert "adapters/evm/contracts/artifacts/SwitchyardEscrow.json" in names
    assert "adapters/evm/contracts/artifacts/TestUSDT.json" in names
    assert "adapters/postgres/migrations/versions/r0001_tables.sql" in names


def _written(paths: tuple[Path, ...]) -> list[Path]:
    return [path for path in paths if path.name != "__init__.py"]


def _readable(path: Path) -> str:
    content = (ROOT / path).read_bytes()
    return "" if b"\0" in content else content.decode(errors="replace")


def _requirements() -> list[str]:
    project = tomllib.loads(text(Path("pyproject.toml")))["project"]
    return [*chain(project["dependencies"], *project["optional-dependencies"].values())]


def _floats() -> Iterator[str]:
    """Find floats in the domain and the ports; a length of time in seconds may be one."""
    for path in EXACT:
        lengths = {
            id(node.annotation)
            for node in ast.walk(parsed(path))
            if (isinstance(node, ast.arg) and node.arg.endswith("seconds"))
            or (
                isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name)
                and node.target.id.endswith("seconds")
            )
        }
        for node in ast.walk(parsed(path)):
            match node:
                case ast.Name(id="float") if id(node) not in lengths:
                    yield f"{path}:{node.lineno} float"
                case ast.Constant(value=float(value)):
                    yield f"{path}:{node.lineno} {value}"
