"""Database servers for tests, and the pytest plugin that hands them out."""
