"""The supervisor, with shell scripts for processes."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.run.watched import PATIENCE_S, Watched, assert_all_end, is_alive, until

TRIVIAL = str(Path(__file__).with_name("trivial_run.py"))
STEADY = "echo up; sleep 600 & sleep 600"  # as gunicorn: a process with one of its own
DEAF = "trap '' TERM; echo up; while :; do sleep 600; done"
Supervise = Callable[..., Watched]


@pytest.fixture
def supervise(start: Callable[..., Watched], tmp_path: Path) -> Supervise:
    """Supervise scripts by name until they are ready."""

    def start_scripts(**scripts: str) -> Watched:
        logs = tmp_path / "logs"
        logs.mkdir(exist_ok=True)
        watched = start(TRIVIAL, str(logs), *(f"{name}={script}" for name, script in scripts.items()))
        watched.wait_for("READY")
        return watched

    return start_scripts


def shells(watched: Watched) -> list[psutil.Process]:
    return [child for child in watched.family() if child.name() == "sh"]


def guard(watched: Watched) -> psutil.Process:
    return next(child for child in watched.family() if "guard.py" in " ".join(child.cmdline()))


def test_says_when_all_are_ready(supervise: Supervise) -> None:
    watched = supervise(one=STEADY, two="sleep 0.5; " + STEADY)

    assert "READY\n" in watched.printed()


def test_a_killed_supervisor_leaves_no_process(supervise: Supervise) -> None:
    watched = supervise(one=STEADY, two=STEADY)
    family = watched.family()

    watched.kill()

    assert len(family) >= 7  # two shells with two children each, and the guard
    assert_all_end(family)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel kills children with their parent")
def test_processes_end_with_a_killed_supervisor_even_without_the_guard(supervise: Supervise) -> None:
    watched = supervise(one="echo up; exec sleep 600", two="echo up; exec sleep 600")
    family = watched.family()
    guard(watched).kill()

    watched.kill()

    assert_all_end(family)


def test_the_guard_alone_ends_the_groups_of_a_killed_supervisor(start: Callable[..., Watched]) -> None:
    watched = start(
        "-c",
        "import subprocess, time; from run.guard import Guard; guard = Guard()\n"
        "group = subprocess.Popen(['sh', '-c', 'sleep 600 & sleep 600'], start_new_session=True)\n"
        "guard.watch(group.pid); print('up', flush=True); time.sleep(600)",
    )
    watched.wait_for("up")
    until(lambda: len(watched.family()) == 4)
    family = watched.family()

    watched.kill()

    assert_all_end(family)


def test_a_dead_process_is_said_and_started_again_and_the_others_stay(supervise: Supervise) -> None:
    watched = supervise(steady=STEADY, mortal=STEADY)
    steady, mortal = shells(watched)
    whole_group = [mortal, *mortal.children()]

    os.kill(mortal.pid, signal.SIGKILL)

    watched.wait_for("ready again")
    assert "was killed by SIGKILL; started again in 0.5 s" in watched.printed()
    assert_all_end(whole_group)
    assert is_alive(steady)
    assert steady in shells(watched)
    assert len(shells(watched)) == 2


def test_a_process_that_cannot_live_is_given_up_with_its_log_and_the_others_live_on(
    supervise: Supervise,
) -> None:
    watched = supervise(steady=STEADY, broken="echo up; echo no such table; exit 3")

    watched.wait_for("given up; the others live on")
    assert "ended with exit code 3" in watched.printed()
    assert "no such table" in watched.printed()
    assert [shell.is_running() for shell in shells(watched)] == [True]
    assert watched.process.poll() is None


def test_warnings_are_shown_and_the_rest_stays_in_the_log(supervise: Supervise, tmp_path: Path) -> None:
    script = """echo '{"event": "fine", "level": "info"}'; echo '{"event": "odd", "level": "warning"}'; """
    watched = supervise(talker=script + STEADY)

    watched.wait_for("warning: odd")
    assert "fine" not in watched.printed()
    assert "fine" in (tmp_path / "logs" / "talker.log").read_text()


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_in_order(supervise: Supervise, sig: signal.Signals) -> None:
    watched = supervise(one=STEADY, two=STEADY)
    family = watched.family()

    watched.send(sig)

    assert watched.process.wait(PATIENCE_S) == 0
    assert_all_end(family)


def test_who_does_not_stop_in_time_is_killed_and_named(supervise: Supervise) -> None:
    watched = supervise(deaf=DEAF)
    family = watched.family()

    watched.send(signal.SIGINT)

    assert watched.process.wait(PATIENCE_S) == 0
    assert "did not stop in time and was killed" in watched.printed()
    assert_all_end(family)


def test_windows_itself_is_refused_with_what_to_use_instead(start: Callable[..., Watched]) -> None:
    pretend = "import runpy, sys; sys.platform = 'win32'; runpy.run_module('run', run_name='__main__')"
    watched = start("-c", pretend)

    assert watched.process.wait(20) == 1
    assert "in WSL" in watched.printed()
