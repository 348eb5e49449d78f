"""Draws the lives of a payment and of an attempt from the tables: ``python docs/draw_states.py``."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from payment_service.domain.payments.transitions import ATTEMPT_TRANSITIONS, TRANSITIONS
from payment_service.values.statuses import MovementState, PaymentStatus

PAGE = Path(__file__).parent / "arc42" / "etats-paiement.md"
DRAWN: Mapping[str, tuple[StrEnum, Mapping[Any, frozenset[Any]]]] = {
    "dessin": (PaymentStatus.PENDING, TRANSITIONS),
    "tentative": (MovementState.ASSESSING, ATTEMPT_TRANSITIONS),
}


def diagram(first: StrEnum, table: Mapping[Any, frozenset[Any]]) -> str:
    """Return the transitions as a Mermaid state diagram that begins with ``first``."""
    arrows = [f"[*] --> {first.value}"]
    for state in type(first):
        targets = [target for target in type(first) if target in table[state]]
        arrows += [f"{state.value} --> {target.value}" for target in targets]
        if not targets:
            arrows.append(f"{state.value} --> [*]")
    lines = "\n".join(f"    {arrow}" for arrow in arrows)
    return f"```mermaid\nstateDiagram-v2\n{lines}\n```"


def redrawn(page: str) -> str:
    """Return the page with the present diagrams, each between its two markers."""
    for name, (first, table) in DRAWN.items():
        begin, end = f"<!-- {name} : début -->", f"<!-- {name} : fin -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{diagram(first, table)}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text()))
