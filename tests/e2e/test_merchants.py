"""A merchant's server, through the gateway, with the credentials that `make run` leaves."""

import json
from typing import Any

import pytest
import requests

from tests.e2e.conftest import PATIENCE_S, RunningSystem


@pytest.fixture(scope="module")
def client(running_system: RunningSystem) -> dict[str, str]:
    found: dict[str, str] = json.loads(running_system.whole.settings.lab_client_file.read_text())
    return found


def ask_token(client: dict[str, str], **form: str) -> requests.Response:
    pair = (client["client_id"], client["client_secret"])
    return requests.post(
        client["token_url"], data={"grant_type": "client_credentials", **form}, auth=pair, timeout=PATIENCE_S
    )


def test_the_labs_credentials_open_v1(running_system: RunningSystem, client: dict[str, str]) -> None:
    token = ask_token(client).json()["access_token"]

    answer = requests.get(
        f"{running_system.gateway_url}/v1/merchant",
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_S,
    )

    merchant: dict[str, Any] = answer.json()
    assert (answer.status_code, merchant["id"], merchant["object"]) == (200, "mer_lab", "merchant")
    assert client["token_url"] == f"{running_system.gateway_url}/oauth2/token"


def test_refusals_come_through_with_their_challenge(
    running_system: RunningSystem, client: dict[str, str]
) -> None:
    merchant = f"{running_system.gateway_url}/v1/merchant"
    narrow = ask_token(client, scope="refunds:write").json()["access_token"]

    nobody = requests.get(merchant, timeout=PATIENCE_S)
    narrowed = requests.get(merchant, headers={"Authorization": f"Bearer {narrow}"}, timeout=PATIENCE_S)
    wrong = ask_token({**client, "client_secret": "cs_wrong"})

    assert (nobody.status_code, narrowed.status_code, wrong.status_code) == (401, 403, 401)
    assert nobody.headers["WWW-Authenticate"] == 'Bearer realm="caisse"'
    assert 'scope="payments:read"' in narrowed.headers["WWW-Authenticate"]
    assert wrong.headers["WWW-Authenticate"].startswith("Basic ")
    assert wrong.json()["error"] == "invalid_client"


def test_the_published_keys_come_through_and_may_be_kept(running_system: RunningSystem) -> None:
    answer = requests.get(f"{running_system.gateway_url}/.well-known/jwks.json", timeout=PATIENCE_S)

    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert {key["use"] for key in answer.json()["keys"]} == {"sig"}
