"""Webhooks out: endpoints that rest, rotate and are switched off; deliveries in batches."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0012_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0012_downgrade.sql")
