"""The first schema, as SQL in the files beside this one."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the triggers that guard them."""
    run_beside(__file__, "r0001_tables.sql", "r0001_guards.sql")


def downgrade() -> None:
    """Drop everything."""
    run_beside(__file__, "r0001_downgrade.sql")
