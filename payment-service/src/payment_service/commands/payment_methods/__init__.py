"""What is done with payment methods."""
