"""Fault injection: the plan that an admin call stored, and how often each request arrived under it."""

from service_kit.db.columns import ascii_key
from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from bank_simulator.models.base import Base

THE_PLAN = 1


class StoredFaultPlan(Base):
    """The plan in force, as JSON, in the one row with id ``THE_PLAN``; without it the configuration's is."""

    __tablename__ = "fault_plans"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[str] = mapped_column(Text)


class ArrivalCount(Base):
    """How often an operation with one request id arrived since the plan was set."""

    __tablename__ = "arrival_counts"

    operation: Mapped[str] = mapped_column(ascii_key(16), primary_key=True)
    request_id: Mapped[str] = mapped_column(ascii_key(64), primary_key=True)
    arrivals: Mapped[int]
