"""What keys were used for long ago, found by its day."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0022_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0022_downgrade.sql")
