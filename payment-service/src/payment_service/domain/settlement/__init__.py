"""Settling movements: what a provider said changes what we hold for true, here alone."""
