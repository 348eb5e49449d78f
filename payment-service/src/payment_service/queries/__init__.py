"""Read side; never writes."""
