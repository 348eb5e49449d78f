"""Rules that several commands share."""
