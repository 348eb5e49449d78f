"""Takes card payments for orders."""
