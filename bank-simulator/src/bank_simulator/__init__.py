"""The outside world: card network, client banks, merchant bank."""
