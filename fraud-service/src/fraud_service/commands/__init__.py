"""The write side: one use case a file."""
