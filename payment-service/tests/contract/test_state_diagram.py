"""The diagrams of states in docs/ are those that the code's tables give."""

import pytest

from docs.draw_states import DRAWN, PAGE, diagram, redrawn


def test_committed_diagrams_are_current() -> None:
    page = PAGE.read_text()

    assert redrawn(page) == page, "run: python docs/draw_states.py"


@pytest.mark.parametrize("name", DRAWN)
def test_every_transition_is_drawn_once(name: str) -> None:
    first, table = DRAWN[name]

    drawn = [line.strip() for line in diagram(first, table).splitlines() if "[*]" not in line]

    expected = {f"{state} --> {target}" for state, targets in table.items() for target in targets}
    assert sorted(line for line in drawn if "-->" in line) == sorted(expected)
