"""``python -m tests.load``: the benchmark."""

from tests.load.bench import main

main(prog_name="python -m tests.load")
