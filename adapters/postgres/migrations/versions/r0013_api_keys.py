"""API keys: modes, scopes, names, expiry, networks, usage and quotas."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0013_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0013_downgrade.sql")
