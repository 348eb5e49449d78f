"""Processes of their own that need not import anything first."""

from multiprocessing import get_context

# A server that has imported everything, is connected to nothing, and forks one process whenever it is asked.
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["payment_service.testing.deaths", "payment_service.testing.racers"])
