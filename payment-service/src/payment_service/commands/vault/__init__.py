"""Use cases of the vault."""
