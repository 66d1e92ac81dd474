"""Releases of many escrows by one transaction."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0016_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0016_downgrade.sql")
