"""The rules of a payment: its states, its claim, its history."""
