"""Tables of the books: entries, and sums of them."""
