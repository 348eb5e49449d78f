"""Pure, immutable values."""
