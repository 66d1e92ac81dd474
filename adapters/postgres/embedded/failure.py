"""The root of everything the embedded server can refuse or fail with."""

from __future__ import annotations


class EmbeddedPostgresFailure(Exception):
    """The embedded PostgreSQL cannot do what was asked; the message says what to do about it."""
