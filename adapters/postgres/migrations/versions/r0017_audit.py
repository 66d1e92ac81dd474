"""What API keys and operators did, in a chain of hashes."""

from __future__ import annotations

from adapters.postgres.migrations.sql import run_beside

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the SQL in the file beside this one."""
    run_beside(__file__, "r0017_upgrade.sql")


def downgrade() -> None:
    """Undo it."""
    run_beside(__file__, "r0017_downgrade.sql")
