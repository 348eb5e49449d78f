"""What is done with the events that providers send."""
