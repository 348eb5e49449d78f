"""The rules of the books: what is posted where."""
