"""Machinery that several use cases share: idempotent requests, charging, follow-ups, asking providers."""
