"""Suspense: what an operator decides of money that nobody could assign."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0009_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0009_downgrade.sql")
