"""Our other services, and the shop."""
