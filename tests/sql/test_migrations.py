"""Models and migrations say the same, and migrating twice changes nothing."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from sql.migrate import migrate
from sql.models import Base
from sql.roles import OWNER


def test_the_migrated_database_is_what_the_models_declare(database):
    engine = create_engine(database.url(OWNER))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_schemas": True})
        differences = [
            change
            for change in compare_metadata(context, Base.metadata)
            if "alembic_version" not in str(change)
        ]
    engine.dispose()
    assert differences == []


def test_migrating_a_migrated_database_changes_nothing(database):
    migrate(database.url(OWNER))
