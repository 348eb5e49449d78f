"""Tables of stored cards: what may be read of one, and the sealed number."""
