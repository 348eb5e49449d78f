"""The read side; it never writes."""
