"""`make run` without what only Linux has: one thing missing at a time, and all of it.

What cannot be shown here is what another system does otherwise: nobody has run these tests there.
"""

import re
import signal
import socket
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from run.folder import RunLock
from run.settings import CHECKOUT, RunSettings
from tests.docs.generate import PAGES
from tests.run.watched import LINUX_ALONE, PATIENCE_S, Start, Watched, assert_all_end, hidden

TRIVIAL = str(Path(__file__).with_name("trivial_run.py"))
SCRIPTS = ("one=echo up; sleep 600 & sleep 600", "two=echo up; sleep 600 & sleep 600")
PROBES = {
    "proc": "open('/proc/self/stat')",
    "fcntl": "import fcntl",
    "prctl": "import ctypes; ctypes.CDLL(None).prctl",
    "calls": "import os; os.sched_getaffinity(0)",
}
lacking = pytest.mark.parametrize(
    "names", [*((name,) for name in LINUX_ALONE), LINUX_ALONE], ids=[*LINUX_ALONE, "all"]
)


@pytest.fixture
def supervised(names: tuple[str, ...], start: Start, tmp_path: Path) -> Watched:
    logs = tmp_path / "logs"
    logs.mkdir()
    watched = start(TRIVIAL, str(logs), *SCRIPTS, **hidden(*names))
    watched.wait_for("READY\n")
    return watched


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is there that could be hidden")
@pytest.mark.parametrize("name", LINUX_ALONE)
def test_what_is_hidden_is_not_there_and_the_rest_is(name: str, start: Start) -> None:
    def ends_well(probe: str) -> bool:
        return start("-c", probe, **hidden(name)).process.wait(PATIENCE_S) == 0

    assert {other: ends_well(probe) for other, probe in PROBES.items()} == {
        other: other != name for other in PROBES
    }


@lacking
def test_a_signal_stops_everything_in_order(supervised: Watched) -> None:
    family = supervised.family()

    supervised.send(signal.SIGINT)

    assert supervised.process.wait(PATIENCE_S) == 0
    assert_all_end(family)


@lacking
def test_a_killed_supervisor_leaves_no_process(supervised: Watched) -> None:
    family = supervised.family()

    supervised.kill()

    assert_all_end(family)


@lacking
def test_everything_stops_when_make_is_killed(names: tuple[str, ...], start: Start, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    words = (sys.executable, TRIVIAL, str(tmp_path / "logs"), *SCRIPTS)
    make = start("-c", f"import subprocess; subprocess.run({words!r})", **hidden(*names))
    make.wait_for("READY\n")
    family = make.family()

    make.kill()

    assert_all_end(family)


@lacking
def test_the_checks_of_a_start_hold(names: tuple[str, ...], start: Start, tmp_path: Path) -> None:
    def refused(settings: RunSettings) -> str:
        watched = start("-m", "run", "up", **settings.as_environment(), **hidden(*names))
        assert watched.process.wait(PATIENCE_S) == 1
        return watched.printed()

    settings = RunSettings.on_free_ports(tmp_path / "run")
    settings.run_dir.mkdir()
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port} is in use" in refused(
            replace(settings, ports=replace(settings.ports, bank=port))
        )
    lock = RunLock(settings.run_dir)
    lock.take()
    assert f"Another `make run` is running here (process {lock.holder()})" in refused(settings)


@lacking
def test_what_the_demo_started_ends_with_a_killed_demo(
    names: tuple[str, ...], start: Start, tmp_path: Path
) -> None:
    demo = start(
        "-c",
        "import sys, time; from pathlib import Path; from run.demo import _program\n"
        "with _program('http.server', ('0',), {}, Path(sys.argv[1]), lambda: True):\n"
        "    print('up', flush=True); time.sleep(600)",
        str(tmp_path / "server.log"),
        **hidden(*names),
    )
    demo.wait_for("up")
    family = demo.family()
    assert len(family) == 2  # the server and the guard

    demo.kill()

    assert_all_end(family)


# What only Linux's and GNU's tools know, and what make has learnt since 3.81, which is that of macOS.
NOT_EVERYWHERE = re.compile(
    r"/proc/|\b(?:sed -i|readlink -f|realpath|nproc|timeout \d|date -d|date --|grep -\w*P|stat -c"
    r"|xargs -r|sort -V|setsid|flock|tac|mktemp -|cp --|ln --|ls --|head -c -|hostname -I|pidof"
    r"|ss -\w|ip addr|lsof|fuser)"
)
LATER_MAKE = re.compile(
    r"^\.(?:ONESHELL|SHELLFLAGS|RECIPEPREFIX|EXTRA_PREREQS)|^\w+ *(?:!=|:::?=)|^(?:undefine|private)\b"
    r"|^define .*=$|\$\((?:file|intcmp|let|guile) |&:",
    re.MULTILINE,
)
SHELL_BLOCK = re.compile(r"^```(?:sh|bash|)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_a_pages_commands_work_with_every_systems_tools(page: Path) -> None:
    text = page.read_text()
    commands = [*SHELL_BLOCK.findall(text), *re.findall(r"`([^`\n]+)`", SHELL_BLOCK.sub("", text))]

    assert [command for command in commands if NOT_EVERYWHERE.search(command)] == []


def test_the_makefile_works_with_every_systems_tools_and_an_old_make() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()

    assert NOT_EVERYWHERE.findall(makefile) == []
    assert LATER_MAKE.findall(makefile) == []


@pytest.mark.deep
@pytest.mark.timeout(1200)
@lacking
def test_the_whole_system_starts_and_stops(names: tuple[str, ...], start: Start, tmp_path: Path) -> None:
    settings = RunSettings.on_free_ports(tmp_path / "run")
    watched = start("-m", "tests.run.patient", "up", **settings.as_environment(), **hidden(*names))
    watched.wait_for("A first payment")
    assert "Caisse is ready" in watched.printed(), watched.printed()
    family = watched.family()

    watched.send(signal.SIGINT)

    assert watched.process.wait(PATIENCE_S) == 0
    assert_all_end(family)
