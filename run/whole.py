"""The whole of `make run`: check, prepare, start, report, keep running."""

import json
import time
from pathlib import Path

from gateway.launch import choose_gateway

from run.first_payment import addresses, client_lines, curl_lines
from run.guard import Guard
from run.preconditions import RunLock, check_ports
from run.preparation import Interrupted, do_all
from run.processes import migrations, preparations, processes
from run.settings import RunSettings
from run.stop_signals import StopSignals
from run.supervisor import Supervisor
from run.terminal import Terminal


def run_everything(settings: RunSettings) -> None:
    """Start Caisse and keep it running until it is told to stop.

    Raises:
        CannotStart: a person must put something right first.
    """
    started_s = time.monotonic()
    table = processes(settings)
    terminal = Terminal([process.name for process in table])
    settings.logs.mkdir(parents=True, exist_ok=True)
    lock = RunLock(settings.run_dir)
    lock.take()
    check_ports(settings.ports, settings.listen_ip)
    settings.ready_file.unlink(missing_ok=True)
    stop, guard = StopSignals(), Guard()

    def report(not_ready: list[str]) -> None:
        _report(settings, terminal, not_ready, time.monotonic() - started_s)
        if not not_ready:
            _write_whole(settings.ready_file, json.dumps(_where(settings)))

    try:
        terminal.say("preparing databases")
        do_all(migrations(settings), settings.logs, guard, stop)
        do_all(preparations(settings), settings.logs, guard, stop)
        for process in table:
            _begin_log(settings.logs / f"{process.name}.log")
        terminal.say(f"starting {len(table)} processes")
        Supervisor(
            table, logs=settings.logs, terminal=terminal, guard=guard, stop=stop, on_ready=report
        ).run()
    except Interrupted:
        terminal.say("stopped while preparing; the next start goes on from there")
    finally:
        settings.ready_file.unlink(missing_ok=True)
        guard.close()


def _report(settings: RunSettings, terminal: Terminal, not_ready: list[str], took_s: float) -> None:
    if not_ready:
        terminal.say(f"\nRunning, but not ready: {', '.join(not_ready)}\n", "bold red")
    else:
        terminal.say(f"\nCaisse is ready ({took_s:.1f} s). Ctrl-C stops it.\n", "bold green")
    terminal.say(addresses(settings, choose_gateway(settings.gateway_file).description))
    terminal.say("\nA first payment, in another terminal:", "bold")
    for line in curl_lines(settings):
        terminal.say(f"  {line}")
    if token_lines := client_lines(settings):
        terminal.say("\nA first token for /v1, with the lab's API client:", "bold")
        for line in token_lines:
            terminal.say(f"  {line}")
    terminal.say("")


def _where(settings: RunSettings) -> dict[str, str]:
    """What somebody else must know to use this run."""
    return {
        "gateway": settings.gateway_url,
        "store_manager": settings.store_manager,
        "mail": str(settings.mail),
    }


def _begin_log(log: Path) -> None:
    """Keep the log of the run before this one, and begin a new one."""
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    log.touch()


def _write_whole(path: Path, text: str) -> None:
    """Write a file that others wait for: it is there whole or not at all."""
    half = path.with_suffix(".half")
    half.write_text(text)
    half.replace(path)
