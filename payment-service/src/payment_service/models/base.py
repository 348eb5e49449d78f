"""The base class of this service's tables."""

from service_kit.db.database import new_metadata
from sqlalchemy import Text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase

# What a request of up to 64 KiB said, as JSON, which writes one letter with up to six bytes: MySQL's TEXT
# would be too short.
LongText = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class Base(DeclarativeBase):
    """Base class of this service's tables."""

    metadata = new_metadata()
