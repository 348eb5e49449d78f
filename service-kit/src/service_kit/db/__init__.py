"""Databases: units of work, columns, rows, migrations."""
