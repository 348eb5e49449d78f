"""A stand-in for KrakenD on machines without it: for development and tests, never for production.

It serves the file that `gateway render` makes, with KrakenD 2.13's observable behaviour, and refuses to start
on any member that it does not implement.
"""
