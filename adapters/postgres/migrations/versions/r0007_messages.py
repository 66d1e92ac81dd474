"""Chains of another nature: memos, batches and messages that expire."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0007_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0007_downgrade.sql")
