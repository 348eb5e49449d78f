"""Fills tables with many plausible payments."""
