"""The write side: one use case per file."""
