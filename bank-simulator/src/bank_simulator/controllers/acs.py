"""The access control server: where a bank asks its cardholder for a one-time code.

It answers browsers, needs no bank token (the address is the secret), and hands them back to the merchant by
a link: nothing here redirects.
"""

import re
from http import HTTPStatus

from flask import Blueprint, Response, request
from service_kit.clock import utc_now
from service_kit.web.pages import choose_language

from bank_simulator.commands.answer_challenge import ONE_TIME_CODE, TRIES, answer_challenge
from bank_simulator.controllers.delivery import as_it_stands
from bank_simulator.controllers.request import current_dependencies
from bank_simulator.errors import ChallengeUnknown
from bank_simulator.pages.challenge_page import (
    ChallengePage,
    PageState,
    PaymentShown,
    page_headers,
    render_page,
)
from bank_simulator.queries.find_challenge import Challenge, find_challenge
from bank_simulator.values.vocabulary import AuthenticationStatus, Status

acs = Blueprint("acs", __name__, url_prefix="/acs")

_SPACES = re.compile(r"\s+")
_RESULTS = {
    AuthenticationStatus.AUTHENTICATED: PageState.DONE,
    AuthenticationStatus.FAILED: PageState.FAILED,
}


@acs.get("/<acs_token>")
def show_challenge(acs_token: str) -> Response:
    challenge = find_challenge(acs_token)
    if challenge.request.is_overdue(utc_now()):
        as_it_stands(challenge.request)
        challenge = find_challenge(acs_token)
    return _respond(_page(challenge))


@acs.post("/<acs_token>")
def take_answer(acs_token: str) -> Response:
    """Take the code, or the cardholder's refusal; a form that is sent twice changes nothing."""
    is_cancelled = request.form.get("action") == "cancel"
    code = _SPACES.sub("", request.form.get("code", ""))
    is_answer = is_cancelled or bool(code)
    if is_answer:
        answer_challenge(acs_token, None if is_cancelled else code, current_dependencies().settings)
    challenge = find_challenge(acs_token)
    if challenge.request.status is not Status.REQUIRES_ACTION:
        return _respond(_page(challenge))
    tries_left = TRIES - challenge.request.wrong_codes
    error = f"code.wrong.{tries_left}" if is_answer else "code.required"
    return _respond(_page(challenge, error), HTTPStatus.UNPROCESSABLE_ENTITY)


@acs.errorhandler(ChallengeUnknown)
def show_unknown(_error: ChallengeUnknown) -> Response:
    return _respond(ChallengePage(PageState.UNKNOWN), HTTPStatus.NOT_FOUND)


def _page(challenge: Challenge, error: str | None = None) -> ChallengePage:
    asked = challenge.request
    payment = PaymentShown(
        bank=challenge.bank.value,
        merchant=asked.merchant_name or str(asked.merchant_id),
        amount_minor=asked.amount_minor or 0,
        currency=str(asked.currency),
        last4=challenge.last4,
    )
    if asked.status is Status.REQUIRES_ACTION:
        return ChallengePage(PageState.ASK, payment, ONE_TIME_CODE, error)
    result = asked.authentication_status
    state = PageState.CLOSED if result is None else _RESULTS[result]
    return ChallengePage(state, payment, return_url=asked.return_url)


def _respond(page: ChallengePage, status: HTTPStatus = HTTPStatus.OK) -> Response:
    language = choose_language(request.headers.get("Accept-Language"))
    return Response(render_page(page, language), status, page_headers(language))
