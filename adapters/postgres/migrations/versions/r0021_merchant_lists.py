"""Lists of payouts, and merchants' own words about what they have made."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0021_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0021_downgrade.sql")
