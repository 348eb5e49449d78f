"""The benchmark: full payments through the gateway, everything on. ``make bench`` runs it."""
