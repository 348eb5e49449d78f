"""What the tests of this service, and of the whole system, stand on; nothing of the product imports it."""
