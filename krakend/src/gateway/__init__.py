"""Caisse's gateway: one description of routes and limits, rendered for KrakenD, and an emulator of it."""
