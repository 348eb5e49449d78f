"""What is done with an approved sale or hold: capture, cancel, refund."""
