"""What is done with what providers tell us of their own accord."""
