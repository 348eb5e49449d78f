"""Work on the books that is nobody's request."""
