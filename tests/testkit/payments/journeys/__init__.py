"""Plays whole journeys of payments."""
