"""For tests and operators: fault plans, totals, lists."""

from typing import Any

from service_kit.web.api import Blueprint

from bank_simulator.commands.decide import decide
from bank_simulator.commands.set_fault_plan import set_fault_plan
from bank_simulator.controllers.request import current_dependencies
from bank_simulator.models import NetworkRequest
from bank_simulator.queries.reconciliation import RequestPage, list_requests, merchant_totals
from bank_simulator.schemas.admin import (
    AllTotalsSchema,
    DecisionSchema,
    FaultPlanSchema,
    RequestsQuerySchema,
    RequestsSchema,
)
from bank_simulator.schemas.network import AnswerSchema
from bank_simulator.values.fault_plan import FaultPlan

admin = Blueprint("admin", __name__, url_prefix="/admin", description="For tests and operators")


@admin.get("/faults")
@admin.response(200, FaultPlanSchema)
def show_faults() -> FaultPlan:
    """Show the fault plan in force."""
    return current_dependencies().fault_plans.in_force()


@admin.post("/faults")
@admin.arguments(FaultPlanSchema)
@admin.response(200, FaultPlanSchema)
@admin.problem(400, "The body is not a fault plan")
def change_faults(body: FaultPlan) -> FaultPlan:
    """Put another plan in force, whole; arrivals are counted from one again. It survives a restart."""
    set_fault_plan(body)
    current_dependencies().fault_plans.forget()
    return body


@admin.delete("/faults")
@admin.response(204)
def clear_faults() -> None:
    """Return to the configured plan (``BANK_FAULTS``; without it nothing goes wrong)."""
    set_fault_plan(None)
    current_dependencies().fault_plans.forget()


@admin.post("/requests/<request_id:request_id>/decide")
@admin.arguments(DecisionSchema)
@admin.response(200, AnswerSchema)
@admin.problem(400, "The body is not a decision")
@admin.problem(404, "No request with this id has arrived")
@admin.problem(409, "It is not pending, and did not end that way")
def decide_request(body: dict[str, Any], request_id: str) -> NetworkRequest:
    """Decide a pending sale, authorisation or refund now."""
    return decide(request_id, body["status"], current_dependencies().settings)


@admin.get("/totals")
@admin.response(200, AllTotalsSchema)
def show_totals() -> dict[str, Any]:
    """Add up what moved on each merchant's account."""
    return {"totals": merchant_totals()}


@admin.get("/requests")
@admin.arguments(RequestsQuerySchema, location="query")
@admin.response(200, RequestsSchema)
@admin.problem(400, "No merchant_id, or a bad page")
def show_requests(query: dict[str, Any]) -> RequestPage:
    """List a merchant's requests, oldest first."""
    return list_requests(**query)
