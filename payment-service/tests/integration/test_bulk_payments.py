"""The payments that fill a database for benchmarks are payments as the service makes them."""

from datetime import timedelta

from click.testing import CliRunner
from payment_service.cli import main
from payment_service.models.merchant import Merchant
from service_kit.clock import utc_now

from tests.testkit.payments.bulk.fill import count_filled, fill
from tests.testkit.payments.world import World

NUMBERS = (range(60), range(60, 100))


def test_they_can_be_written_in_parts_and_everything_about_them_can_be_verified(world: World) -> None:
    (merchant,) = world.all(Merchant)
    key = world.dependencies.policy.event_key
    began = utc_now() - timedelta(hours=12)

    for numbers in NUMBERS:
        world.change(lambda session: fill(session, key, merchant.id, numbers, began))  # noqa: B023

    assert world.change(count_filled) == 100
    for command in (["verify-events"], ["verify-ledger", "--without-bank"]):
        result = CliRunner().invoke(main, command, env={"DATABASE_URL": world.config.database_url})
        assert (result.exit_code, result.exception) == (0, None), result.output
