"""API clients, their secrets and tokens, and the keys that sign them."""
