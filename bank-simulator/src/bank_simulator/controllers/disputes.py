"""For tests and operators: cardholders contest payments."""

from service_kit.web.api import Blueprint

from bank_simulator.commands.close_dispute import close_dispute
from bank_simulator.commands.open_dispute import OpenDispute, open_dispute
from bank_simulator.controllers.request import current_dependencies
from bank_simulator.models import Dispute
from bank_simulator.schemas.disputes import DisputeSchema, OpenDisputeSchema
from bank_simulator.values.vocabulary import DisputeStatus

disputes = Blueprint("disputes", __name__, url_prefix="/admin/disputes", description="Contested payments")


@disputes.post("")
@disputes.arguments(OpenDisputeSchema)
@disputes.response(201, DisputeSchema)
@disputes.problem(400, "The body is not a dispute")
@disputes.problem(404, "No request with this id has arrived")
@disputes.problem(409, "So much of the payment cannot be disputed, or another request had this id")
def contest(body: OpenDispute) -> Dispute:
    """Contest a captured payment: the money is withheld from the merchant."""
    return open_dispute(body, current_dependencies().settings)


@disputes.post("/<request_id:dispute_id>/won")
@disputes.response(200, DisputeSchema)
@disputes.problem(404, "There is no such dispute")
@disputes.problem(409, "The dispute ended the other way")
def win(dispute_id: str) -> Dispute:
    """End a dispute for the merchant, who gets the money back."""
    return close_dispute(dispute_id, DisputeStatus.WON, current_dependencies().settings)


@disputes.post("/<request_id:dispute_id>/lost")
@disputes.response(200, DisputeSchema)
@disputes.problem(404, "There is no such dispute")
@disputes.problem(409, "The dispute ended the other way")
def lose(dispute_id: str) -> Dispute:
    """End a dispute for the cardholder, who gets the money."""
    return close_dispute(dispute_id, DisputeStatus.LOST, current_dependencies().settings)
