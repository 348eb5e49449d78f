"""Schemathesis over the description of every service: see schemathesis.toml for what it may meet."""
