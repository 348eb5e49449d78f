"""Runs schemathesis over a service in this process, and says in words what it found."""

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import APIOperation, BaseSchema
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Err
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.transport.wsgi import WSGI_TRANSPORT, WSGITransport

from tests.fuzzing.services import Service

CONFIG = Path(__file__).with_name("schemathesis.toml")
_OF_SOCKETS = ("max_redirects", "verify", "cert", "proxies")
_SHOWN = 600
KEY, EXAMPLE_KEY = "Idempotency-Key", "order-1017"


@dataclass
class Findings:
    """What came out: a text for each failure, and how often each operation was asked."""

    seed: int
    failures: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return "\n\n".join([f"seed {self.seed}, {len(self.failures)} failures", *self.failures])


def interrogate(service: Service, *, examples: int, seed: int, max_time_s: int | None = None) -> Findings:
    """Ask every operation of a description, with up to ``examples`` requests in each phase."""
    config = SchemathesisConfig.from_path(CONFIG)
    config.update(seed=seed, max_failures=None, max_time=max_time_s)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", service.app, config=config)
    schema.config.update(headers=dict(service.headers))
    schema.config.generation.update(max_examples=examples)
    found = Findings(seed, operations={operation.label for operation in _operations(schema)})
    WSGI_TRANSPORT.__class__ = InThisProcess
    try:
        for event in from_schema(schema).execute():
            _note(event, found)
    finally:
        WSGI_TRANSPORT.__class__ = WSGITransport
    return found


class InThisProcess(WSGITransport):
    """Drops what belongs to sockets, which schemathesis' probes without credentials hand to the test client.

    It also lets each request be one of its own: the idempotency key of the description's example would come
    again and again.
    """

    def send(self, case: Any, *, session: Any = None, **kwargs: Any) -> Any:
        """Send a request to the application."""
        for name in _OF_SOCKETS:
            kwargs.pop(name, None)
        if case.headers and str(case.headers.get(KEY, "")).startswith(EXAMPLE_KEY):
            case.headers[KEY] = f"{EXAMPLE_KEY}-{secrets.token_hex(8)}"
        return super().send(case, session=session, **kwargs)


def _operations(schema: BaseSchema) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    for result in schema.get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        yield result.ok()


def _note(event: events.EngineEvent, found: Findings) -> None:
    match event:
        case events.ScenarioFinished():
            found.asked.update(node.value.operation.label for node in event.recorder.cases.values())
            found.failures += _failures(event.recorder)
        case events.NonFatalError():
            found.failures.append(f"{event.label}: {event.info.format()}")
        case events.FatalError():
            raise event.exception


def _failures(recorder: ScenarioRecorder) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.status is not Status.SUCCESS and check.failure_info is not None:
                case, response = recorder.cases[case_id].value, recorder.interactions[case_id].response
                body = (
                    response.content[:_SHOWN].decode(errors="replace") if response is not None else "nothing"
                )
                failure = check.failure_info.failure
                yield "\n".join(
                    (
                        f"{case.operation.label}: {check.name}: {failure.title}",
                        failure.message,
                        check.failure_info.code_sample[:_SHOWN],
                        f"answer: {body}",
                    )
                )
