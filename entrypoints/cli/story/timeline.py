"""The story's timeline: what happened, when, and whether it was as it should be."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import attrs
import click

if TYPE_CHECKING:
    from domain.shared.events import Json


@attrs.frozen
class StoryFailed(Exception):
    """A check did not hold."""

    what: str
    expected: object
    got: object

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected!r}, got {self.got!r}"


@attrs.define
class Timeline:
    """Prints each step as it happens, for people or as JSON lines; counts the checks."""

    as_json: bool
    checks: int = 0
    _began: float = attrs.field(factory=time.monotonic)

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self._say({"kind": "chapter", "title": title}, f"\n{click.style(title, bold=True)}")

    def step(self, what: str, **facts: Json) -> None:
        """Tell what has just happened."""
        shown = "  ".join(f"{value}" for value in facts.values())
        dimmed = click.style(shown, dim=True)
        self._say(
            {"kind": "step", "what": what, **facts},
            f"{self._seconds():7.2f} s  {click.style('✓', fg='green')} {what:<44} {dimmed}",
        )

    def check(self, what: str, *, expected: object, got: object) -> None:
        """Hold the story to something.

        Raises:
            StoryFailed: it does not hold.
        """
        if got != expected:
            raise StoryFailed(what, expected, got)
        self.checks += 1

    def failed(self, failure: Exception) -> None:
        """Tell why the story ends badly."""
        self._say(
            {"kind": "failed", "why": str(failure)},
            f"{self._seconds():7.2f} s  {click.style('✗', fg='red')} {failure}",
        )

    def ended(self) -> None:
        """Tell that everything held."""
        self._say(
            {"kind": "ended", "checks": self.checks},
            f"\n{click.style('All is well:', fg='green', bold=True)} "
            f"{self.checks} checks held in {self._seconds():.1f} s.",
        )

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _say(self, line: dict[str, Json], text: str) -> None:
        milliseconds = int(self._seconds() * 1000)
        click.echo(json.dumps({"at_ms": milliseconds, **line}) if self.as_json else text)
