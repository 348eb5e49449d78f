"""Tells people what happened to their payment."""
