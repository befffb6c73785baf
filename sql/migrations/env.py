"""Alembic's entry point; `sql.migrate` hands it the connection."""

from alembic import context

from sql.models import Base

target_metadata = Base.metadata


def run() -> None:
    """Run on the connection of `sql.migrate`, one transaction for all revisions."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        include_schemas=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
