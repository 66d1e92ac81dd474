"""What is looked up for one intent, and filters of lists."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0014_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0014_downgrade.sql")
