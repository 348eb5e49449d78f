"""What all tables of the simulator share."""

from service_kit.db.database import new_metadata
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    metadata = new_metadata()
