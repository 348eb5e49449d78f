"""`make run` from beginning to end: check, prepare the databases, start, print where all is, keep running."""

import errno
import json
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from gateway.launch import choose_gateway

from run import spawn
from run.folder import CannotStart, RunLock, close_to_others
from run.guard import Guard
from run.keys import keep_keys
from run.processes import Task, migrations, preparations, processes
from run.settings import HIGHEST_PORT, Ports, RunSettings
from run.supervisor import StopSignals, Terminal, last_lines, shown_path, supervise

# The programs of a supervisor that was killed a moment ago need this long to be gone.
PORTS_FREE_WITHIN_S = 3.0

CARD = '{"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}'
_PUBLISHED_KEYS = (
    "The data in {folder} was made with the keys that the documentation shows to everybody, and goes on "
    "with them.\nFor keys of its own, begin anew: `make clean` removes the data, and the next start draws\n"
    "them. run/README.md says how to change them without."
)
_ORDER = '{"user_id": 1, "order_id": 1, "total_amount": 59.5}'
_JSON = "-H 'Content-Type: application/json'"


class Interrupted(Exception):
    """A signal asked for the end while something was being prepared."""


def start(settings: RunSettings, *, end_with: int | None = None) -> None:
    """Start Caisse and keep it running until it is told to stop, or until its parent ``end_with`` is gone.

    Raises:
        CannotStart: a person must put something right first.
    """
    started_s = time.monotonic()
    settings.logs.mkdir(parents=True, exist_ok=True)
    lock = RunLock(settings.run_dir)
    lock.take()
    check_ports(settings.ports, settings.listen_ip)
    settings.ready_file.unlink(missing_ok=True)
    close_to_others(settings)
    has_own_keys = keep_keys(settings)
    table = processes(settings)
    terminal = Terminal([process.name for process in table])
    stop, guard = StopSignals(end_with), Guard()

    def report(not_ready: Sequence[str]) -> None:
        if not_ready:
            terminal.say(f"\nRunning, but not ready: {', '.join(not_ready)}\n", "bold red")
        else:
            took_s = time.monotonic() - started_s
            terminal.say(f"\nCaisse is ready ({took_s:.1f} s). Ctrl-C stops it.\n", "bold green")
        _print_addresses(settings, terminal)
        if not not_ready:
            _write_ready_file(settings)

    try:
        if not has_own_keys:
            terminal.say(_PUBLISHED_KEYS.format(folder=shown_path(settings.run_dir)), "yellow")
        terminal.say("preparing databases")
        for tasks in (migrations(settings), preparations(settings)):
            _do_all(tasks, settings.logs, guard, stop)
        for process in table:
            _begin_log(settings.logs / f"{process.name}.log")
        terminal.say(f"starting {len(table)} processes")
        supervise(table, logs=settings.logs, terminal=terminal, guard=guard, stop=stop, on_ready=report)
    except Interrupted:
        terminal.say("stopped while preparing; the next start goes on from there")
    finally:
        settings.ready_file.unlink(missing_ok=True)
        guard.close()


def check_ports(ports: Ports, listen_ip: str) -> None:
    """Make sure that all ports are free.

    Raises:
        CannotStart: some are in use, or may not be used; names each with the setting that changes it.
    """
    deadline_s = time.monotonic() + PORTS_FREE_WITHIN_S
    while faults := _faults(ports, listen_ip):
        if time.monotonic() > deadline_s:
            raise CannotStart("\n".join(faults))
        time.sleep(0.2)


def _faults(ports: Ports, listen_ip: str) -> list[str]:
    by_setting = ports.by_setting()
    faults = [fault for setting, port in by_setting.items() if (fault := _fault(setting, port, listen_ip))]
    for port in sorted({port for port in by_setting.values() if list(by_setting.values()).count(port) > 1}):
        settings = " and ".join(setting for setting, other in by_setting.items() if other == port)
        faults.append(f"{settings} are the same, {port}: each process needs a port of its own.")
    return faults


def _fault(setting: str, port: int, listen_ip: str) -> str | None:
    address = listen_ip if setting == "GATEWAY_PORT" else "127.0.0.1"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if "WAKE" in setting else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as exc:
            fault = "is in use" if exc.errno == errno.EADDRINUSE else f"cannot be used ({exc.strerror})"
            other = port + 1000 if port + 1000 <= HIGHEST_PORT else port - 1000
            return (
                f"Port {port} {fault}. Stop the program that has it, or choose another: "
                f"make run {setting}={other}"
            )
    return None


def _do_all(tasks: Sequence[Task], logs: Path, guard: Guard, stop: StopSignals) -> None:
    """Do the tasks at the same time; each can be done again after it was killed half-way.

    Raises:
        CannotStart: one failed; the message ends with its log.
        Interrupted: we were told to stop; the tasks are killed.
    """
    running: list[tuple[Task, subprocess.Popen[bytes]]] = []
    try:
        for task in tasks:
            running.append((task, _start_task(task, logs)))
            guard.watch(running[-1][1].pid)
        while any(process.poll() is None for _, process in running):
            if stop.is_asked:
                raise Interrupted
            time.sleep(0.05)
    finally:
        for _, process in running:
            spawn.kill_group(process.pid)
            process.wait()
            guard.forget(process.pid)
    for task, process in running:
        if process.returncode != 0:
            raise CannotStart(_failure(task, process.returncode, logs / f"{task.name}.log"))


def _start_task(task: Task, logs: Path) -> "subprocess.Popen[bytes]":
    log = logs / f"{task.name}.log"
    log.unlink(missing_ok=True)
    try:
        return spawn.start(task.command, task.environment, log)
    except OSError as exc:
        raise CannotStart(
            f"{task.command[0]} cannot be run ({exc.strerror}). The environment is broken: "
            "remove the folder .venv and run make again."
        ) from exc


def _failure(task: Task, code: int, log: Path) -> str:
    lines = [f"{task.name} failed (exit code {code}):", *(f"    {line}" for line in last_lines(log, 12))]
    lines.append(f"The whole log: {log}")
    if task.name.startswith("migrate-"):
        lines.append(
            "Running again goes on where it stopped. If the data is of no use (another version made it, or "
            "the file is damaged), `make clean` removes all of it."
        )
    return "\n".join(lines)


def _begin_log(log: Path) -> None:
    """Keep the log of the run before this one, and begin a new one."""
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    log.touch()


def _write_ready_file(settings: RunSettings) -> None:
    """Tell others where this run is reached; they wait for the file, which is there whole or not at all."""
    where = {
        "gateway": settings.gateway_url,
        "store_manager": settings.store_manager,
        "mail": str(settings.mail),
    }
    half = settings.ready_file.with_suffix(".half")
    half.write_text(json.dumps(where))
    half.replace(settings.ready_file)


def _print_addresses(settings: RunSettings, terminal: Terminal) -> None:
    gateway = choose_gateway(settings.gateway_file).description
    ports = settings.ports
    rows = (
        ("gateway", settings.gateway_url, f"{gateway}; {settings.orders_per_minute} orders a minute"),
        ("payment-service", f"http://127.0.0.1:{ports.payment}", "API page at /docs"),
        ("fraud-service", f"http://127.0.0.1:{ports.fraud}", "API page at /docs"),
        ("notification-service", f"http://127.0.0.1:{ports.notification}", "API page at /docs"),
        ("bank-simulator", f"http://127.0.0.1:{ports.bank}", "API page at /docs"),
        ("Store Manager", settings.store_manager, "expected there; without it `make demo` plays the shop"),
        ("receipts", shown_path(settings.mail), "e-mails as .eml files"),
        ("lab client", shown_path(settings.lab_client_file), "client_id and client_secret for /v1"),
        ("logs", shown_path(settings.logs), "one file per process; warnings appear here too"),
    )
    for name, where, what in rows:
        terminal.say(f"  {name:<21} {where:<23} {what}")
    terminal.say("\nA first payment, in another terminal:", "bold")
    for line in payment_commands(settings):
        terminal.say(f"  {line}")
    if commands := token_commands(settings):
        terminal.say("\nA first token for /v1, with the lab's API client:", "bold")
        for line in commands:
            terminal.say(f"  {line}")
    terminal.say("")


def payment_commands(settings: RunSettings) -> Sequence[str]:
    """The commands of a first payment, as they can be pasted into a shell."""
    payments = f"{settings.gateway_url}/payments-api/payments"
    extract = r"""sed 's/.*"payment_id": *\([0-9]*\).*/\1/'"""
    return (
        f"PAYMENT=$(curl -s {_JSON} -d '{_ORDER}' {payments} | {extract})",
        f"echo Open {payments}/process/$PAYMENT in a browser, or pay here:",
        f"curl -sw '\\n' {_JSON} -d '{CARD}' {payments}/process/$PAYMENT",
        f"curl -sw '\\n' http://127.0.0.1:{settings.ports.payment}/payments/$PAYMENT",
    )


def token_commands(settings: RunSettings) -> Sequence[str]:
    """The commands of a first token and of a call with it; nothing without the lab's API client."""
    if not settings.lab_client_file.exists():
        return ()
    client = json.loads(settings.lab_client_file.read_text())
    # The secret stays in its file: terminals are shown, copied and logged.
    read = f"""python3 -c 'import json; c = json.load(open("{settings.lab_client_file}"))"""
    basic = f"""{read}; print(c["client_id"] + ":" + c["client_secret"])'"""
    extract = r"""sed 's/.*"access_token": *"\([^"]*\)".*/\1/'"""
    ask = f"""curl -s -u "$({basic})" -d grant_type=client_credentials {client["token_url"]}"""
    return (
        f"TOKEN=$({ask} | {extract})",
        f'curl -s -H "Authorization: Bearer $TOKEN" {settings.gateway_url}/v1/merchant',
    )
