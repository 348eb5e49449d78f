from datetime import UTC, datetime, timedelta

import pytest
from bank_simulator.commands.follow_up import Capture, Refund, Void
from bank_simulator.domain.postings import Movement
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import DeclineCode, Holding, RequestKind

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def authorization(held: int = 1000, captured: int = 0, refunded: int = 0) -> NetworkRequest:
    return NetworkRequest(
        kind=RequestKind.AUTHORIZATION,
        holding=Holding.HELD if held else Holding.CAPTURED,
        held_minor=held,
        captured_minor=captured,
        refunded_minor=refunded,
        disputed_minor=0,
        processed_at=NOW,
    )


def sale(refunded: int = 0) -> NetworkRequest:
    return NetworkRequest(
        kind=RequestKind.SALE,
        holding=Holding.CAPTURED,
        held_minor=0,
        captured_minor=1000,
        refunded_minor=refunded,
        disputed_minor=0,
        processed_at=NOW,
    )


def capture(original: NetworkRequest, amount_minor: int, *, is_final: bool) -> Movement | DeclineCode:
    return Capture("cap_1", "att_1", amount_minor, is_final).apply(original, NOW)


def void(original: NetworkRequest, now: datetime) -> Movement | DeclineCode:
    return Void("voi_1", "att_1").apply(original, now)


def refund(original: NetworkRequest, amount_minor: int) -> Movement | DeclineCode:
    return Refund("ref_1", "att_1", amount_minor).apply(original, NOW)


def test_several_captures_use_the_hold_up() -> None:
    held = authorization()

    rulings = [capture(held, amount, is_final=False) for amount in (400, 600, 1)]

    assert rulings == [Movement(400), Movement(600), DeclineCode.WRONG_STATE]
    assert (held.holding, held.held_minor, held.captured_minor) == (Holding.CAPTURED, 0, 1000)


def test_a_final_capture_releases_the_rest() -> None:
    held = authorization()

    assert capture(held, 400, is_final=True) == Movement(400, 600)
    assert (held.holding, held.held_minor, held.captured_minor) == (Holding.CAPTURED, 0, 400)


def test_a_capture_above_the_hold_changes_nothing() -> None:
    held = authorization()

    assert capture(held, 1001, is_final=True) is DeclineCode.AMOUNT_TOO_LARGE
    assert (held.holding, held.held_minor) == (Holding.HELD, 1000)


def test_a_void_releases_an_authorisation_once() -> None:
    held = authorization()

    assert void(held, NOW) == Movement(1000, 1000)
    assert held.holding is Holding.VOIDED
    assert void(held, NOW) is DeclineCode.WRONG_STATE


def test_a_void_after_a_partial_capture_releases_the_rest_and_keeps_the_capture() -> None:
    held = authorization(held=600, captured=400)

    assert void(held, NOW) == Movement(600, 600)
    assert (held.holding, held.captured_minor) == (Holding.CAPTURED, 400)
    assert refund(held, 400) == Movement(400)


def test_a_sale_is_voided_within_a_day_only() -> None:
    day = timedelta(hours=24)

    assert void(sale(), NOW + day) == Movement(1000)
    assert void(sale(), NOW + day + timedelta(seconds=1)) is DeclineCode.WRONG_STATE


def test_a_refunded_sale_cannot_be_voided_and_a_voided_one_not_refunded() -> None:
    voided = sale()
    void(voided, NOW)

    assert void(sale(refunded=1), NOW) is DeclineCode.WRONG_STATE
    assert refund(voided, 1) is DeclineCode.WRONG_STATE


def test_refunds_never_exceed_what_was_captured() -> None:
    sold = sale()

    assert refund(sold, 700) == Movement(700)
    assert refund(sold, 301) is DeclineCode.AMOUNT_TOO_LARGE
    assert refund(sold, 300) == Movement(300)
    assert sold.refunded_minor == 1000


@pytest.mark.parametrize("kind", [RequestKind.CAPTURE, RequestKind.REFUND])
def test_nothing_follows_a_request_that_holds_no_money(kind: RequestKind) -> None:
    declined = NetworkRequest(kind=kind, holding=None, held_minor=0, captured_minor=0, refunded_minor=0)

    assert capture(declined, 1, is_final=False) is DeclineCode.WRONG_STATE
    assert void(declined, NOW) is DeclineCode.WRONG_STATE
    assert refund(declined, 1) is DeclineCode.WRONG_STATE
