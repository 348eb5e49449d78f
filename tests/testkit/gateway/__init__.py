"""A gateway process and backends behind it."""
