"""The list entries that a lab installation starts with."""

from collections.abc import Mapping
from datetime import datetime

from fraud_service.commands.put_on_list import PutOnList, put_on_list
from fraud_service.errors import ListEntryExists
from fraud_service.values.vocabulary import ListKind, Subject

# Why each BIN of the load tests is allowed, which `lists show` prints.
LAB_TEST_BINS: Mapping[str, str] = {
    "999999": "Documented lab test card 9999999999999: load tests send hundreds of orders of one user from "
    "one address",
    "400030": "The 1000 cards of `bank-simulator cards --bench`: `make bench` pays from one address",
}


def seed_lab_lists(now: datetime) -> dict[str, bool]:
    """Put the BINs of the load tests on the allow list; False for one that is there already."""
    return {test_bin: _allow(test_bin, reason, now) for test_bin, reason in LAB_TEST_BINS.items()}


def _allow(test_bin: str, reason: str, now: datetime) -> bool:
    try:
        put_on_list(PutOnList(ListKind.ALLOW, Subject.BIN, test_bin, reason, "fraud-service seed", now))
    except ListEntryExists:
        return False
    return True
