from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from payment_service.cli import main
from payment_service.models.base import Base
from payment_service.testing.config import make_config
from service_kit import migrations
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool


def revisions(database_url: str) -> list[str]:
    directory = make_config(database_url).migrations_dir
    script = ScriptDirectory.from_config(migrations.alembic_config(database_url, directory))
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


def test_models_and_migrations_do_not_differ(database_url: str) -> None:
    migrations.upgrade(database_url, make_config(database_url).migrations_dir)

    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_a_migration_that_was_killed_after_any_step_goes_on(database_url: str) -> None:
    directory = make_config(database_url).migrations_dir
    engine = create_engine(database_url, poolclass=NullPool)
    in_order = revisions(database_url)
    stamp = text("UPDATE alembic_version SET version_num = :revision")

    for before, revision in zip([None, *in_order[:-1]], in_order, strict=True):
        migrations.upgrade(database_url, directory, revision)
        with engine.begin() as connection:  # the step was done, and the process killed before it was noted
            if before is None:
                connection.execute(text("DELETE FROM alembic_version"))
            else:
                connection.execute(stamp, {"revision": before})
        migrations.upgrade(database_url, directory, revision)

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == in_order[-1]


def test_revisions_follow_one_another_in_one_line(database_url: str) -> None:
    assert revisions(database_url) == [
        f"{number:04}" for number in range(1, len(revisions(database_url)) + 1)
    ]


OF_BEFORE = (
    """
INSERT INTO merchants (id, public_id, name, locale, currency, created_at) VALUES
    (1, 'mer_lab', 'Store Manager', 'fr', 'MAD', '2026-11-20 10:00:00'),
    (2, 'mer_other', 'Librairie Atlas', 'en', 'EUR', '2026-11-20 11:00:00')
""",
    """
INSERT INTO payments (id, public_id, merchant_id, surface, order_id, user_id, amount_minor, currency, status,
                      receipt_locale, event_count, event_head, created_at)
VALUES (3, 'pay_3', 1, 'lab', '1', '1', 399998, 'MAD', 'completed', 'fr', 3, 'abc', '2026-11-20 12:00:00')
""",
)


def test_data_of_before_merchants_had_legal_names_is_kept_and_completed(database_url: str) -> None:
    directory = make_config(database_url).migrations_dir
    migrations.upgrade(database_url, directory, "0009")
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in OF_BEFORE:
            connection.execute(text(statement))

    migrations.upgrade(database_url, directory)

    with engine.connect() as connection:
        merchants = connection.execute(
            text("SELECT public_id, legal_name, address, tax_number, currency FROM merchants ORDER BY id")
        ).all()
        payments = connection.execute(
            text("SELECT id, merchant_id, amount_minor, status FROM payments")
        ).all()
    lab = (
        "mer_lab",
        "Store Manager SARL",
        "1, rue du Laboratoire\n20000 Casablanca\nMaroc",
        "IF 00000001",
        "MAD",
    )
    assert merchants == [lab, ("mer_other", "Librairie Atlas", "", "", "EUR")]
    assert payments == [(3, 1, 399998, "completed")]


def test_completing_merchants_again_overwrites_nothing(database_url: str) -> None:
    directory = make_config(database_url).migrations_dir
    migrations.upgrade(database_url, directory, "0013")
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(OF_BEFORE[0]))
        connection.execute(text("UPDATE merchants SET legal_name = 'Changed', address = 'Rabat'"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0012'"))

    migrations.upgrade(database_url, directory)

    with engine.connect() as connection:
        rows = connection.execute(text("SELECT legal_name, address FROM merchants")).all()
    assert rows == [("Changed", "Rabat"), ("Changed", "Rabat")]


def test_a_seeded_merchant_is_as_an_upgraded_one(database_url: str) -> None:
    directory = make_config(database_url).migrations_dir
    environment = {"DATABASE_URL": database_url, "LOG_LEVEL": "ERROR"}
    migrations.upgrade(database_url, directory)
    assert CliRunner().invoke(main, ["seed"], env=environment).exit_code == 0
    engine = create_engine(database_url, poolclass=NullPool)
    columns = "SELECT name, legal_name, address, tax_number, locale FROM merchants"
    with engine.connect() as connection:
        seeded = connection.execute(text(columns)).all()
    with engine.begin() as connection:
        connection.execute(text("UPDATE merchants SET legal_name = '', address = '', tax_number = ''"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0012'"))

    migrations.upgrade(database_url, directory)

    with engine.connect() as connection:
        assert connection.execute(text(columns)).all() == seeded


def test_migrate_and_seed_can_be_repeated(database_url: str) -> None:
    outputs = [
        CliRunner().invoke(main, [command], env={"DATABASE_URL": database_url, "LOG_LEVEL": "ERROR"})
        for command in ("migrate", "migrate", "seed", "seed")
    ]

    assert [result.exit_code for result in outputs] == [0, 0, 0, 0], [result.output for result in outputs]
    assert [result.output for result in outputs[2:]] == [
        "Seeded the lab's data.\n",
        "The lab's data is there already.\n",
    ]
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, amount_minor FROM payments ORDER BY id")).all() == [
            (1, 199999),
            (2, 5950),
        ]
    assert "outbox_messages" in inspect(engine).get_table_names()
