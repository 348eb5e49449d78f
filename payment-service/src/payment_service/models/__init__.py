"""M: tables."""
