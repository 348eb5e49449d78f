"""Draws the life of a payment from the code's own table: ``python docs/draw_states.py``."""

from pathlib import Path

from payment_service.domain.payments.transitions import TRANSITIONS
from payment_service.values.statuses import PaymentStatus

PAGE = Path(__file__).parent / "arc42" / "etats-paiement.md"
BEGIN, END = "<!-- dessin : début -->", "<!-- dessin : fin -->"


def diagram() -> str:
    """Return the transitions as a Mermaid state diagram."""
    arrows = [f"[*] --> {PaymentStatus.PENDING.value}"]
    for state in PaymentStatus:
        targets = [target for target in PaymentStatus if target in TRANSITIONS[state]]
        arrows += [f"{state.value} --> {target.value}" for target in targets]
        if not targets:
            arrows.append(f"{state.value} --> [*]")
    lines = "\n".join(f"    {arrow}" for arrow in arrows)
    return f"```mermaid\nstateDiagram-v2\n{lines}\n```"


def redrawn(page: str) -> str:
    """Return the page with the present diagram between its two markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{diagram()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text()))
