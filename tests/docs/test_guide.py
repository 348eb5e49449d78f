"""The service of docs/adding-a-service.md really works: its code is put together, migrated and called."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-service.md"
FILE = re.compile(r"^```python\n# (?P<path>\S+\.py)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)

CALLS = """
from points_service.app import create_app

client = create_app().test_client()
headers = {"Authorization": "Bearer lab-service-token"}

def grant(points, **more):
    return client.post("/internal/grants", json={"payment_id": "pay_1", "points": points}, **more).status_code

print(
    grant(5), grant(5, headers=headers), grant(5, headers=headers), grant(6, headers=headers),
    grant(0, headers=headers), client.get("/health/ready").status_code, client.get("/docs").status_code,
    "/internal/grants" in client.get("/openapi.json").json["paths"],
)
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a service made of the guide's code blocks."""
    folder = tmp_path_factory.mktemp("checkout") / "points-service"
    for block in FILE.finditer(GUIDE.read_text()):
        file = folder / block["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block["code"])
    for package in (folder / "src").glob("points_service/**/"):
        if not (package / "__init__.py").exists():
            (package / "__init__.py").write_text(f'"""The package {package.name}."""\n')
    return folder


def run(service: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(service / "src"),
            "DATABASE_URL": f"sqlite:///{service / 'points.db'}",
            "LOG_LEVEL": "ERROR",
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_service_of_the_guide_migrates_and_answers(service: Path) -> None:
    migrate = "from points_service.cli import main; main(['migrate'])"
    run(service, "-c", migrate)
    run(service, "-c", migrate)

    answers = run(service, "-c", CALLS)

    assert answers == "401 200 200 409 400 200 200 True\n"


def test_the_code_of_the_guide_keeps_the_style_of_the_project(service: Path) -> None:
    (service.parent / "pyproject.toml").write_text((GUIDE.parents[1] / "pyproject.toml").read_text())

    run(service, "-m", "ruff", "check", str(service))
    run(service, "-m", "ruff", "format", "--check", str(service))
