"""Compares the books, the events and the bank with each other; changes nothing."""
