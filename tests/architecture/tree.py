"""The project's own files, as git tracks them or would track them."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("domain", "ports", "adapters", "entrypoints", "config")
"""The five packages."""


@cache
def files() -> tuple[Path, ...]:
    """Return every file that is tracked or new, not the ignored ones, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 (git is where the developer has it)
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = (Path(name) for name in listed.stdout.split("\0") if name)
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


@cache
def modules(*rooms: str) -> tuple[Path, ...]:
    """Return the Python files of some top-level folders."""
    return tuple(path for path in files() if path.suffix == ".py" and path.parts[0] in rooms)


@cache
def text(path: Path) -> str:
    """Return what is in a file of the tree."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file of the tree."""
    return ast.parse(text(path), filename=str(path))


def distribution(requirement: str) -> str:
    """Return the name in a requirement, or of a distribution, as registries spell it."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()
