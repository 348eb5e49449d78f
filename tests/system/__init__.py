"""The whole system as real processes, for suites that start, watch, kill and restart them one by one."""
