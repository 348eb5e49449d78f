"""Words and numbers: pure and immutable."""
