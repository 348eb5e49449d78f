"""The base class of this service's tables."""

from service_kit.db.database import new_metadata
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    metadata = new_metadata()
