"""Blueprints: the card network, and the admin calls for tests."""
