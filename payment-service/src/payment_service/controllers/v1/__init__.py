"""The routes of /v1, for merchants' servers."""
