"""V: what comes in and what goes out as JSON."""
