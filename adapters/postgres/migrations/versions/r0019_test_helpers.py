"""What test accounts order for themselves."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0019_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0019_downgrade.sql")
