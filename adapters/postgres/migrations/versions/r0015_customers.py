"""Customers' own addresses, and what is paid to them."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0015_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0015_downgrade.sql")
