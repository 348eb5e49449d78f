"""How Caisse is started on a developer machine: `make run` and `make demo`."""
