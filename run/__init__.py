"""How Caisse is started and tested at a desk: `make run`, `make demo`, and the steps of `make test`."""
