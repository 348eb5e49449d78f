"""Background work: the leased queue, its loops, wake-ups."""
