import sys

if sys.platform == "win32":
    sys.exit(
        "Caisse runs on Linux, on macOS and, on Windows, in WSL: run `wsl --install`, then start again there."
    )

from run.cli import main

main(prog_name="python -m run")
