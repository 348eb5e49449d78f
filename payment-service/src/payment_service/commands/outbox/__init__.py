"""What is done with the outbox."""
