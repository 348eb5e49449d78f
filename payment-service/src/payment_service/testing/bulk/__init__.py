"""Many payments that came to their end, written by bulk inserts, for tests and benchmarks."""
