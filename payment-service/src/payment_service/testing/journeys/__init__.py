"""What a shop, a payer and the worker do, request by request."""
