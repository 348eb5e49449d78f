"""Judges each payment attempt for fraud."""
