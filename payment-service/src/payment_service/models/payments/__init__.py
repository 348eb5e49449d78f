"""Tables of payments and of their movements."""
