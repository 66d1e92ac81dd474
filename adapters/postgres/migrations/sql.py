"""Migrations that are written in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from alembic import op

if TYPE_CHECKING:
    from psycopg import Connection


def run_beside(script: str, *names: str) -> None:
    """Run files that lie beside a migration's script, in its transaction.

    They go to the driver as they are, because SQLAlchemy would read colons as parameters.
    """
    driver = cast("Connection", op.get_bind().connection.driver_connection)
    for name in names:
        driver.execute(Path(script).with_name(name).read_bytes())
