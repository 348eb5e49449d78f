"""What the worker and operators run: janitor, expiry, deliveries, pruning, snapshots, key rotation, seed."""
