"""What becomes of a payment that its cardholder disputes."""
