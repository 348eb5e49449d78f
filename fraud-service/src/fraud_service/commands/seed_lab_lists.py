"""The list entries that a lab installation starts with."""

from datetime import datetime

from fraud_service.commands.put_on_list import PutOnList, put_on_list
from fraud_service.errors import ListEntryExists
from fraud_service.values.vocabulary import ListKind, Subject

LAB_TEST_BIN = "999999"
_REASON = (
    "Documented lab test card 9999999999999: load tests send hundreds of orders of one user from one address"
)


def seed_lab_lists(now: datetime) -> bool:
    """Put the BIN of the documented test card on the allow list; False when it is there already."""
    try:
        put_on_list(PutOnList(ListKind.ALLOW, Subject.BIN, LAB_TEST_BIN, _REASON, "fraud-service seed", now))
    except ListEntryExists:
        return False
    return True
