"""Requests that may arrive more than once, and are carried out once."""
