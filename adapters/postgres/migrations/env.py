"""What Alembic runs to apply migrations: on the connection that its caller has opened."""

from __future__ import annotations

from alembic import context

from adapters.postgres.tables.everything import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
