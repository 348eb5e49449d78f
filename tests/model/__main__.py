"""``python -m tests.model``: plays random sequences for as long as one likes."""

from tests.model.soak import main

main(prog_name="python -m tests.model")
