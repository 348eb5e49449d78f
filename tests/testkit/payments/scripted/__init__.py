"""A bank and other services that answer as a test scripts them."""
