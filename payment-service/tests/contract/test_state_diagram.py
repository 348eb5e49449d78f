"""The diagram of a payment's states in docs/ is the one that the code's table gives."""

from payment_service.domain.payments.transitions import TRANSITIONS

from docs.draw_states import PAGE, diagram, redrawn


def test_committed_diagram_is_current() -> None:
    page = PAGE.read_text()

    assert redrawn(page) == page, "run: python docs/draw_states.py"


def test_every_transition_is_drawn_once() -> None:
    drawn = [line.strip() for line in diagram().splitlines() if "[*]" not in line]

    expected = {f"{state} --> {target}" for state, targets in TRANSITIONS.items() for target in targets}
    assert sorted(line for line in drawn if "-->" in line) == sorted(expected)
