"""What suites share that put a gateway in front of something: a process, a recording backend."""
