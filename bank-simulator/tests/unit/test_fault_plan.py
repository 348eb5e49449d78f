import pytest
from bank_simulator.schemas.admin import read_fault_plan
from bank_simulator.values.fault_plan import Arrival, Fault, FaultPlan, Latency, Share
from marshmallow import ValidationError

PLAN = FaultPlan(seed=7, latency_ms=Latency(0.3, 10, 300), errors=Share(0.2), lost_answers=Share(0.1))
ARRIVALS = [Arrival("sell", f"att_{number}", 1) for number in range(2000)]


def test_the_same_arrival_always_meets_the_same_fault() -> None:
    forwards = {arrival.request_id: PLAN.fault(arrival) for arrival in ARRIVALS}
    backwards = {arrival.request_id: PLAN.fault(arrival) for arrival in reversed(ARRIVALS)}

    assert forwards == backwards


@pytest.mark.parametrize(
    "other",
    [
        lambda arrival: FaultPlan(8, PLAN.latency_ms, PLAN.errors, PLAN.lost_answers).fault(arrival),
        lambda arrival: PLAN.fault(Arrival("refund", arrival.request_id, 1)),
        lambda arrival: PLAN.fault(Arrival("sell", arrival.request_id, 2)),
    ],
    ids=["seed", "operation", "ordinal"],
)
def test_seed_operation_and_ordinal_each_change_the_faults(other: object) -> None:
    assert callable(other)

    assert [other(arrival) for arrival in ARRIVALS] != [PLAN.fault(arrival) for arrival in ARRIVALS]


def test_about_as_many_go_wrong_as_the_plan_says() -> None:
    faults = [PLAN.fault(arrival) for arrival in ARRIVALS]

    assert 0.25 < sum(fault.latency_ms > 0 for fault in faults) / len(faults) < 0.35
    assert 0.07 < sum(fault.error_before for fault in faults) / len(faults) < 0.13
    assert 0.07 < sum(fault.error_after for fault in faults) / len(faults) < 0.13
    assert 0.07 < sum(fault.lost_answer for fault in faults) / len(faults) < 0.13
    assert all(fault.latency_ms == 0 or 10 <= fault.latency_ms <= 300 for fault in faults)


def test_a_rate_of_one_hits_everybody_and_of_zero_nobody() -> None:
    always = FaultPlan(errors=Share(1.0), lost_answers=Share(1.0))

    assert all(always.fault(arrival).lost_answer for arrival in ARRIVALS)
    assert all(FaultPlan().fault(arrival) == Fault() for arrival in ARRIVALS)


def test_a_plan_survives_being_written_and_read() -> None:
    text = '{"seed": 7, "latency_ms": {"rate": 0.3, "min": 10, "max": 300}, "errors": {"rate": 0.2}}'

    assert read_fault_plan(text) == FaultPlan(7, Latency(0.3, 10, 300), Share(0.2), Share(0.0))


@pytest.mark.parametrize(
    "text",
    ['{"errors": {"rate": 1.5}}', '{"latency_ms": {"rate": 1, "min": 9, "max": 8}}', '{"sead": 1}', "[]"],
)
def test_a_plan_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read_fault_plan(text)
