"""Models and migrations agree, and a migration that was killed can be run again."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from notification_service.config import MIGRATIONS
from notification_service.models import Base
from service_kit import migrations
from service_kit.database import engine_options
from sqlalchemy import create_engine, pool, text


def test_models_and_migrations_do_not_differ(database_url: str) -> None:
    migrations.upgrade(database_url, MIGRATIONS)
    engine = create_engine(database_url, poolclass=pool.NullPool)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_a_revision_whose_record_was_lost_runs_again(database_url: str) -> None:
    migrations.upgrade(database_url, MIGRATIONS)
    options = engine_options(database_url)["connect_args"]
    engine = create_engine(database_url, poolclass=pool.NullPool, connect_args=options)
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        connection.commit()

    migrations.upgrade(database_url, MIGRATIONS)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0003"
