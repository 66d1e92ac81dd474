"""The signing secrets of webhook endpoints, in their rows: sealed there, and in clear here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.postgres.key_ring import Place

if TYPE_CHECKING:
    from adapters.postgres.key_ring import KeyRing
    from adapters.postgres.session import Row

COLUMNS: Final = ("secret", "former_secret")


def sealed(row: Row, ring: KeyRing) -> Row:
    """Return the row of an endpoint as it is stored."""
    given = {name: row[name] for name in COLUMNS if row[name] is not None}
    return {**row, **{n: ring.seal_text(it, place(n, row["id"])) for n, it in given.items()}}


def opened(row: Row, ring: KeyRing) -> Row:
    """Return a stored row with its secrets in clear.

    One that does not open stays sealed: its endpoint cannot be signed for, and all others can.
    """
    given = {name: row[name] for name in COLUMNS if row[name] is not None}
    return {**row, **{n: ring.opened_text(it, place(n, row["id"])) for n, it in given.items()}}


def place(column: str, id: str) -> Place:
    """Return where a secret of an endpoint lies."""
    return Place("webhook_endpoint", column, id)
