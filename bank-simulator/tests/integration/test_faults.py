from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from bank_simulator.app import create_app
from bank_simulator.controllers.request import EXTENSION
from bank_simulator.values.fault_plan import FaultPlan, Share
from bank_simulator.values.issued_cards import LAB_CARD
from flask import Flask

from tests.testkit.bank import Answer, BankClient, serving

PLAN: Answer = {"seed": 7, "errors": {"rate": 0.4}, "lost_answers": {"rate": 0.4}}


@pytest.fixture
def faulty_bank(own_bank: BankClient) -> Iterator[BankClient]:
    own_bank.post("/admin/faults", PLAN)
    yield own_bank
    own_bank.request("DELETE", "/admin/faults")


def attempt(bank: BankClient, request_id: str) -> str:
    """Make a sale, and tell what the client saw."""
    try:
        response = bank.request(
            "POST", "/network/sales", json=bank.payment(LAB_CARD, 1, request_id=request_id)
        )
    except requests.ConnectionError:
        return "lost"
    return "answered" if response.ok else str(response.json()["code"])


def test_the_same_plan_and_ids_give_the_same_faults_in_any_order(faulty_bank: BankClient) -> None:
    ids = [f"att_{number}" for number in range(25)]

    forwards = {request_id: attempt(faulty_bank, request_id) for request_id in ids}
    faulty_bank.post("/admin/faults", PLAN)
    backwards = {request_id: attempt(faulty_bank, request_id) for request_id in reversed(ids)}

    assert forwards == backwards
    assert set(forwards.values()) == {"answered", "fault_injected", "lost"}


def test_faults_never_move_money_twice_and_come_before_and_after_it_moved(faulty_bank: BankClient) -> None:
    ids = [f"att_{number}" for number in range(40)]
    seen = {request_id: attempt(faulty_bank, request_id) for request_id in ids}
    for _ in range(2):
        for request_id in ids:
            attempt(faulty_bank, request_id)
    faulty_bank.request("DELETE", "/admin/faults")
    faulty_bank.post("/admin/faults", {"seed": 7})

    moved = {request_id: faulty_bank.status(request_id).ok for request_id in ids}

    assert all(moved[request_id] for request_id in ids if seen[request_id] != "fault_injected")
    assert faulty_bank.net_minor() == sum(moved.values())


def test_an_error_before_the_money_moved_leaves_nothing_and_one_after_leaves_it(
    faulty_bank: BankClient,
) -> None:
    failed = [
        request_id
        for request_id in (f"att_{number}" for number in range(40))
        if attempt(faulty_bank, request_id) == "fault_injected"
    ]
    faulty_bank.request("DELETE", "/admin/faults")

    found = {faulty_bank.status(request_id).status_code for request_id in failed}

    assert found == {requests.codes.ok, requests.codes.not_found}


def test_the_plan_survives_a_restart_and_ends_with_its_deletion(own_app: Flask, own_bank: BankClient) -> None:
    own_bank.post("/admin/faults", PLAN)
    restarted = create_app(own_app.extensions[EXTENSION].config)

    with serving(restarted) as address:
        after_restart = BankClient(address).request("GET", "/admin/faults").json()
        BankClient(address).request("DELETE", "/admin/faults")
        after_deletion = BankClient(address).request("GET", "/admin/faults").json()

    assert after_restart["errors"] == {"rate": 0.4}
    assert after_deletion["errors"] == {"rate": 0.0}


def test_a_configured_plan_holds_until_an_admin_call_replaces_it(own_app: Flask) -> None:
    config = replace(own_app.extensions[EXTENSION].config, faults=FaultPlan(errors=Share(1.0)))

    with serving(create_app(config)) as address:
        bank = BankClient(address)
        configured = attempt(bank, "att_1")
        bank.post("/admin/faults", {"seed": 1})
        replaced = attempt(bank, "att_1")
        bank.request("DELETE", "/admin/faults")
        again = attempt(bank, "att_1")

    assert [configured, replaced, again] == ["fault_injected", "answered", "fault_injected"]


def test_latency_only_delays(own_bank: BankClient) -> None:
    own_bank.post("/admin/faults", {"seed": 1, "latency_ms": {"rate": 1, "min": 1, "max": 5}})

    assert [attempt(own_bank, f"att_{number}") for number in range(5)] == ["answered"] * 5


def test_a_bad_plan_is_refused_and_changes_nothing(own_bank: BankClient) -> None:
    own_bank.post("/admin/faults", PLAN)

    refused = own_bank.request("POST", "/admin/faults", json={"errors": {"rate": 2}})

    assert refused.status_code == 400
    assert own_bank.request("GET", "/admin/faults").json()["seed"] == 7
