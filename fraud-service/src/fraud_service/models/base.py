"""The base class of this service's tables, and its column types."""

from service_kit.db.database import new_metadata
from sqlalchemy import String
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine


class Base(DeclarativeBase):
    """Base class of this service's tables."""

    metadata = new_metadata()


def exact_text(length: int) -> TypeEngine[str]:
    """Return a column type for any text, in which ``Key``, ``key`` and ``kéy`` differ on every engine."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )
