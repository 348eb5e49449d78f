"""Reads the books: balances, entries, and whether everything adds up."""
