"""Rows of merchants, kept apart by the database."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0020_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0020_downgrade.sql")
