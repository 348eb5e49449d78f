"""The README's journey of a merchant's server, run as it stands."""

import json
import re
import subprocess
from pathlib import Path
from typing import Protocol

from tests.system.whole import WholeSystem

CHECKOUT = Path(__file__).resolve().parents[2]
SECTION = re.compile(
    r"^## A merchant's server by curl$.*?^```sh$(?P<script>.*?)^```$", re.MULTILINE | re.DOTALL
)


class RunningSystem(Protocol):
    """What this test needs of the system under test."""

    gateway_url: str
    bank_url: str
    whole: WholeSystem


def test_the_journey_of_a_merchants_server_is_true(running_system: RunningSystem, tmp_path: Path) -> None:
    found = SECTION.search((CHECKOUT / "README.md").read_text())
    assert found is not None
    script = found["script"].replace("http://localhost:8080", running_system.gateway_url)
    script = script.replace("http://localhost:5012", running_system.bank_url)
    (tmp_path / ".run").mkdir()
    credentials = running_system.whole.settings.lab_client_file.read_text()
    (tmp_path / ".run" / "lab-client.json").write_text(credentials)

    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    told = [(answer["object"], answer.get("status")) for answer in answers if "object" in answer]
    assert told == [
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
    disputes = answers[-3]["data"]
    assert [dispute["status"] for dispute in disputes] == ["opened"]
