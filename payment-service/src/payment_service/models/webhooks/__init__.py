"""Tables of what providers told us."""
