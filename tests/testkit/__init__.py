"""What tests, benchmarks and the model stand on; no product package imports it."""
