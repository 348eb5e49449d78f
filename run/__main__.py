"""`python -m run`."""

from run.cli import main

main(prog_name="python -m run")
