"""Sending: numbers that come back, and replacements."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0008_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0008_downgrade.sql")
