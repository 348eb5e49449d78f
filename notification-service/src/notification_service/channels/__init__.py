"""The ways out: one port, and its adapters."""
