"""What all tables of the simulator share."""

from enum import StrEnum

from service_kit.database import new_metadata
from sqlalchemy import Enum
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Base class of the simulator's tables."""

    metadata = new_metadata()


def enum_column(kind: type[StrEnum]) -> Enum:
    """Return a column type that stores the values of ``kind`` in 32 characters, the same on every engine."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )
