"""The locked files hold what is asked for: a pin missing from one shows itself only on a fresh machine."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
LOCKED = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


def asked(name: str) -> set[str]:
    """What `name`.in and the files that it includes ask for, as package indices spell names."""
    lines = [line.split("#")[0].strip() for line in (REQUIREMENTS / f"{name}.in").read_text().splitlines()]
    included = [line.removeprefix("-r ").removesuffix(".in") for line in lines if line.startswith("-r ")]
    own = {re.split(r"[\[<>=!~ ;]", line)[0].lower() for line in lines if line and not line.startswith("-")}
    return own.union(*map(asked, included))


def pinned(name: str) -> dict[str, str]:
    """Package → version of `name`.txt."""
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", (REQUIREMENTS / f"{name}.txt").read_text()))


def of_index(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name)


@pytest.mark.parametrize("name", LOCKED)
def test_everything_that_is_asked_for_is_pinned(name: str) -> None:
    assert {of_index(package) for package in asked(name)} <= set(pinned(name))


@pytest.mark.parametrize("name", LOCKED)
def test_what_is_developed_with_is_what_runs(name: str) -> None:
    assert pinned(name).items() <= pinned("dev").items()
