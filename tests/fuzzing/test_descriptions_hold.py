"""Whatever a description allows or forbids: every service answers as it says, and never with a defect."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.fuzzing import services
from tests.fuzzing.inquisitor import interrogate
from tests.fuzzing.services import Service

MakeService = Callable[[Path], AbstractContextManager[Service]]
SERVICES = [services.payment_service, services.fraud, services.notification, services.bank]
EXAMPLES, SEED = 12, 20261121
DEEP_EXAMPLES, DEEP_S = 2000, 75
# Half a minute of nothing but work, of which a busy machine may make ten.
pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("make_service", SERVICES)
def test_every_operation_answers_as_it_is_described(make_service: MakeService, tmp_path: Path) -> None:
    with make_service(tmp_path) as service:
        found = interrogate(service, examples=EXAMPLES, seed=SEED)

    assert found.operations
    assert set(found.asked) >= found.operations
    assert found.failures == [], str(found)


@pytest.mark.deep
@pytest.mark.parametrize("make_service", SERVICES)
def test_every_operation_answers_as_it_is_described_for_long(
    make_service: MakeService, tmp_path: Path
) -> None:
    with make_service(tmp_path) as service:
        found = interrogate(service, examples=DEEP_EXAMPLES, seed=secrets.randbits(64), max_time_s=DEEP_S)

    assert set(found.asked) >= found.operations
    assert found.failures == [], str(found)
