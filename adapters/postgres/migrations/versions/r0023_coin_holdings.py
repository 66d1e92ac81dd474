"""What deposit addresses hold of a chain's coin, gas of ours and fees included."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0023_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0023_downgrade.sql")
