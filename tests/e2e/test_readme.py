"""The journeys by curl in docs/, each run as it stands."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from tests.system.whole import WholeSystem

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEN_SECONDS = "in 1 2 3 4 5 6 7 8 9 10;"
SCRIPT = re.compile(r"^```sh$(?P<script>.*?)^```$", re.MULTILINE | re.DOTALL)


class RunningSystem(Protocol):
    """What these tests need of the system under test."""

    gateway_url: str
    bank_url: str
    whole: WholeSystem


def play(page: str, running_system: RunningSystem, folder: Path) -> str:
    """Run the script of a page against the system under test, and return what it printed."""
    found = SCRIPT.search((DOCS / page).read_text())
    assert found is not None
    script = found["script"].replace("http://localhost:8080", running_system.gateway_url)
    script = script.replace("http://localhost:5012", running_system.bank_url)
    # Ten seconds for the bank's news are not enough where the machine is busy.
    script = script.replace(TEN_SECONDS, "in $(seq 200);")
    (folder / ".run").symlink_to(running_system.whole.settings.run_dir)
    (folder / ".venv").symlink_to(sys.prefix)

    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answers(output: str) -> list[dict[str, Any]]:
    """Return the JSON objects that a script printed, each on a line of its own."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_a_first_payment_is_true(running_system: RunningSystem, tmp_path: Path) -> None:
    output = play("first-payment.md", running_system, tmp_path)

    paid, shown = answers(output)
    assert (paid["is_paid"], paid["status"], paid["order_id"]) == (True, "completed", 1)
    assert (shown["id"], shown["is_paid"]) == (paid["payment_id"], True)
    assert "<h1" in output
    assert ".eml" in output
    assert "store_manager" in output


def test_the_journey_of_a_merchants_server_is_true(running_system: RunningSystem, tmp_path: Path) -> None:
    assert TEN_SECONDS in (DOCS / "merchant-journey.md").read_text()
    told = answers(play("merchant-journey.md", running_system, tmp_path))

    assert [(answer["object"], answer.get("status")) for answer in told if "object" in answer] == [
        ("payment", "authorized"),
        ("payment", "authorized"),
        ("payment", "partially_captured"),
        ("payment", "completed"),
        ("refund", "succeeded"),
        ("payment", "partially_refunded"),
        ("payment", "completed"),
        ("list", None),
        ("list", None),
        ("balance", None),
    ]
    disputes = told[-3]["data"]
    assert [dispute["status"] for dispute in disputes] == ["opened"]
