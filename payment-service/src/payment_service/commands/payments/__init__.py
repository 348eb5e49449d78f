"""What is done with payments."""
