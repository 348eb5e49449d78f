"""What is looked for by an index is compared byte for byte on every engine."""

import importlib
import pkgutil

from payment_service import models
from payment_service.models.base import Base
from sqlalchemy import Column, String
from sqlalchemy.dialects import mysql

# Words of ours out of a fixed list: nobody else can write one in capitals or with an accent.
OUR_OWN_WORDS = {"account", "currency", "kind", "provider", "queue", "status", "type"}


def is_exact(column: Column[str]) -> bool:
    return "_bin" in column.type.compile(mysql.dialect())


def test_every_indexed_text_is_exact_or_a_word_of_ours() -> None:
    for module in pkgutil.walk_packages(models.__path__, f"{models.__name__}."):
        importlib.import_module(module.name)
    indexed = {
        column
        for table in Base.metadata.tables.values()
        for index in table.indexes
        for column in index.columns
        if isinstance(column.type, String)
    }

    assert {column.name for column in indexed if not is_exact(column)} <= OUR_OWN_WORDS
    assert any(is_exact(column) for column in indexed)
