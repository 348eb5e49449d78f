"""Newman runs the Postman collection on the whole system: through the gateway, and on the service itself."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.system.whole import WholeSystem

CHECKOUT = Path(__file__).resolve().parents[2]
POSTMAN = CHECKOUT / "docs" / "postman"
COLLECTION = POSTMAN / "caisse.postman_collection.json"
FETCHED = CHECKOUT / ".cache" / "newman" / "node_modules" / ".bin" / "newman"
ENVIRONMENTS = ("gateway", "direct")


class RunningSystem(Protocol):
    """What this test needs of the system under test."""

    gateway_url: str
    payment_url: str
    bank_url: str
    whole: WholeSystem


@pytest.fixture(scope="module")
def newman() -> str:
    """The newman program; without it the test is skipped, or fails under CI."""
    named = os.environ.get("NEWMAN") or (str(FETCHED) if FETCHED.exists() else shutil.which("newman"))
    if named is None or shutil.which("node") is None:
        reason = "newman is not here: `make newman` fetches it (needs Node and npm)"
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return named


def with_more_patience(collection: str) -> str:
    """Let the script that waits for the bank's news look ten times as often: the machine may be busy."""
    assert "look(40);" in collection
    return collection.replace("look(40);", "look(400);")


@pytest.mark.timeout(1000)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_collection_passes(
    environment: str, newman: str, running_system: RunningSystem, tmp_path: Path
) -> None:
    report, collection = tmp_path / "report.json", tmp_path / "collection.json"
    collection.write_text(with_more_patience(COLLECTION.read_text()))
    client = json.loads(running_system.whole.settings.lab_client_file.read_text())
    command = [
        *(newman, "run", str(collection), "--environment"),
        str(POSTMAN / f"{environment}.postman_environment.json"),
        *("--env-var", f"gateway={running_system.gateway_url}"),
        *("--env-var", f"payment_service={running_system.payment_url}"),
        *("--env-var", f"bank={running_system.bank_url}"),
        *("--env-var", f"client_id={client['client_id']}"),
        *("--env-var", f"client_secret={client['client_secret']}"),
        *("--reporters", "cli,json", "--reporter-json-export", str(report)),
        *("--timeout-request", "150000", "--color", "off"),
    ]

    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    stats = json.loads(report.read_text())["run"]["stats"]
    # A script that waits for the bank's news sends requests of its own.
    assert stats["requests"]["total"] >= len(_requests(json.loads(COLLECTION.read_text())))
    assert stats["assertions"]["failed"] == 0


def test_every_request_asserts_its_status() -> None:
    for request in _requests(json.loads(COLLECTION.read_text())):
        tests = [event for event in request.get("event", ()) if event["listen"] == "test"]
        script = "\n".join(line for event in tests for line in event["script"]["exec"])

        assert "to.have.status(" in script, request["name"]


def _requests(item: dict[str, Any]) -> list[dict[str, Any]]:
    if "request" in item:
        return [item]
    return [request for child in item["item"] for request in _requests(child)]
