"""Changing what goes wrong."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from bank_simulator.domain.faults import store_document
from bank_simulator.extensions import db
from bank_simulator.models import ArrivalCount, StoredFaultPlan
from bank_simulator.models.fault import THE_PLAN
from bank_simulator.values.fault_plan import FaultPlan


def set_fault_plan(plan: FaultPlan | None) -> None:
    """Store the plan, or with None return to the configured one; arrivals are counted from one again."""

    def work(session: Session) -> None:
        session.execute(delete(ArrivalCount))
        if plan is None:
            session.execute(delete(StoredFaultPlan))
        else:
            session.merge(StoredFaultPlan(id=THE_PLAN, document=store_document(plan)))

    db.in_transaction(work)
