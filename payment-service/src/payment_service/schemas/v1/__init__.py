"""The JSON of /v1."""
