"""Whom the simulator calls: the merchant's side, with its events."""
