"""The parts of the documentation that are made from the code are current; ``make docs`` writes them anew."""

from pathlib import Path

import pytest
from payment_service.domain.payments.transitions import MOVEMENT_TRANSITIONS, TRANSITIONS

from tests.docs import generate

MADE = [page for page in generate.PAGES if generate.names_of(page.read_text())]


@pytest.mark.parametrize("page", MADE, ids=lambda page: str(page.relative_to(generate.CHECKOUT)))
def test_a_page_has_what_the_code_gives(page: Path) -> None:
    text = page.read_text()

    assert generate.made_again(text) == text, f"{page.name} is not current: run `make docs` and commit it"


def test_every_service_shows_its_routes_its_commands_and_its_tables() -> None:
    shown = {name for page in MADE for name in generate.names_of(page.read_text())}

    for service in generate.SERVICES:
        assert {f"{kind} {service}" for kind in ("routes", "commands", "tables")} <= shown, service
    assert {"events", "gateway routes", "make", "layers", "imports", "payment states"} <= shown
    # A void and a refund live as a capture does, which the page says.
    assert {f"movement states {kind}" for kind in ("attempt", "reversal", "capture")} <= shown


@pytest.mark.parametrize(
    ("part", "table"),
    [
        ("payment states", TRANSITIONS),
        *((f"movement states {kind}", table) for kind, table in MOVEMENT_TRANSITIONS.items()),
    ],
)
def test_every_transition_is_drawn_once(part: str, table: dict[str, frozenset[str]]) -> None:
    drawn = [line.strip() for line in generate.part(part).splitlines() if "[*]" not in line]

    expected = {f"{state} --> {target}" for state, targets in table.items() for target in targets}
    assert sorted(line for line in drawn if "-->" in line) == sorted(expected)


def test_every_brick_where_money_is_decided_is_described() -> None:
    page = (generate.CHECKOUT / "docs" / "arc42" / "05-vue-briques.md").read_text()

    assert [name for name in generate.bricks() if f"\n| {name} |" not in page] == []


@pytest.mark.parametrize("service", generate.SERVICES)
def test_every_table_and_every_column_is_drawn(service: str) -> None:
    drawn = generate.part(f"tables {service}")

    tables = generate.metadata_of(service).tables
    assert tables
    for name, table in tables.items():
        entity = drawn.partition(f"    {name} {{\n")[2].partition("    }\n")[0].splitlines()
        assert sorted(line.split()[1] for line in entity) == sorted(table.columns.keys())


def test_a_part_that_nobody_makes_is_named() -> None:
    with pytest.raises(KeyError, match="nonsense is none of"):
        generate.made_again("<!-- from the code: nonsense -->\n<!-- end -->")
