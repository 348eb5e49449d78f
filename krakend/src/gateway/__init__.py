"""Caisse's gateway: one description of its routes and limits, rendered for KrakenD, with an emulator beside it."""
